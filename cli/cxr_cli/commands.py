"""Every subcommand by name."""

import typer

from cxr_cli.app import Command, add, new_app, paragraphs
from cxr_cli.appliance import appliance
from cxr_cli.calibration import calibrate, monitor
from cxr_cli.evaluation import evaluate_models, explain_models
from cxr_cli.exporting import build_engine, export_run
from cxr_cli.importing import import_foreign
from cxr_cli.lab import COMMANDS as LABORATORY
from cxr_cli.listening import listen
from cxr_cli.machine import benchmark, doctor, models
from cxr_cli.readers import add_user, list_users, remove_user, tally, verify_audit
from cxr_cli.scan import scan
from cxr_cli.sending import send
from cxr_cli.service import WORDS as OTHERS_WORDS
from cxr_cli.service import write as write_service
from cxr_cli.serving import serve
from cxr_cli.settings import settings
from cxr_cli.store import backup, merge, prune, report, restore
from cxr_cli.training import search_recipes, train_lung_fields, train_network
from cxr_cli.watching import watch

app = new_app()
_COMMANDS: dict[str, dict[str, Command]] = {
    "Clinic": {
        "scan": scan,
        "watch": watch,
        "listen": listen,
        "serve": serve,
        "appliance": appliance,
        "send": send,
        "calibrate": calibrate,
        "monitor": monitor,
        "tally": tally,
        "models": models,
        "doctor": doctor,
        "benchmark": benchmark,
        "settings": settings,
    },
    "Store": {
        "report": report,
        "backup": backup,
        "restore": restore,
        "merge": merge,
        "prune": prune,
    },
    "Laboratory": {
        "train": train_network,
        "search": search_recipes,
        "evaluate": evaluate_models,
        "explain": explain_models,
        "segment-train": train_lung_fields,
        "import": import_foreign,
        "export": export_run,
        "build-engine": build_engine,
    },
}
for _panel, _commands in _COMMANDS.items():
    for _name, _command in _commands.items():
        add(app, _panel, _name, _command)
_lab = typer.Typer(help="The laboratory's programs: small networks, and the tables of cards and pages.")
for _panel, _commands in LABORATORY.items():
    for _name, _command in _commands.items():
        add(_lab, _panel, _name, _command)
app.add_typer(_lab, name="lab", hidden=True)
_service = typer.Typer(help="Files by which a system starts the program with the machine, or every night.")
_service.command("write", help=paragraphs(write_service), context_settings=OTHERS_WORDS)(write_service)
app.add_typer(_service, name="service", rich_help_panel="Clinic")
_GROUPS: dict[str, tuple[str, dict[str, Command]]] = {
    "user": ("Who may log in to serve.", {"add": add_user, "list": list_users, "remove": remove_user}),
    "audit": ("The record of who did what.", {"verify": verify_audit}),
}
for _group, (_about, _commands) in _GROUPS.items():
    _inner = typer.Typer(help=_about)
    for _name, _command in _commands.items():
        _inner.command(_name, help=paragraphs(_command))(_command)
    app.add_typer(_inner, name=_group, rich_help_panel="Clinic")
