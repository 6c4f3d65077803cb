"""`cxr-triage appliance`: the thin face of `cxr_runtime.appliance`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.exit_status import ExitStatus

if TYPE_CHECKING:
    from cxr_runtime.appliance.orders import Orders


def appliance(
    clinic: Annotated[
        Path | None,
        typer.Argument(metavar="CLINIC.toml", show_default=False, help="Settings; --example prints some."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Check the settings, and end.")] = False,
    health: Annotated[bool, typer.Option("--health", help="Say how the running appliance is.")] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print settings, each with its meaning, and end.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> int:
    """Run everything a clinic needs from one file of settings: films come, and are scored, until you end it.

    What dies is begun again. While the disk is nearly full no film is taken. Ctrl-C, or SIGTERM, finishes the
    films that have begun; a second one ends at once.

    Exit status: 0 ended as asked, 2 wrong usage or settings, 1 could not begin. --health: 0 all is well, 3 it
    works, but somebody should look, 1 it does not run.
    """
    if example:
        from cxr_runtime.appliance.example import example as example_settings

        typer.echo(example_settings(), nl=False)
        return 0
    orders = _orders(clinic)
    if health:
        return _told_health(orders.health_file)
    from cxr_runtime.appliance import checking
    from cxr_runtime.journal import Journal

    checking.check_installed(orders)
    checking.check_folders(orders)
    checking.check_files(orders)
    checking.check_model(orders)
    if check:
        checking.check_places(orders)
        checking.check_peers(orders, Journal())
        checking.check_programs(orders)
        checking.check_backend(orders)
        typer.echo(f"{clinic} is in order")
        return 0
    return _run(orders, quiet=quiet)


def _orders(clinic: Path | None) -> "Orders":
    from cxr_runtime.appliance.orders import orders_of
    from cxr_runtime.appliance.settings_file import SEE_EXAMPLE, read_settings
    from cxr_runtime.errors import UsageError

    if clinic is None:
        raise UsageError(f"CLINIC.toml is missing; expected a file of settings: {SEE_EXAMPLE}")
    return orders_of(read_settings(clinic))


def _run(orders: "Orders", *, quiet: bool) -> int:
    from cxr_cli.film_options import opened_journal
    from cxr_runtime.appliance.appliance import Appliance, Tools
    from cxr_runtime.memory import check_memory
    from cxr_runtime.workers.opener import Opener

    check_memory()

    def tell(sentence: str) -> None:
        typer.echo(f"cxr-triage: {sentence}", err=True)

    is_shown = not quiet and orders.log_file is None
    with (
        opened_journal(orders.log_file, orders.log_format, on_screen=is_shown) as journal,
        Opener() as opener,
    ):
        Appliance(orders, Tools(journal, opener, tell)).run()
    return 0


def _told_health(file: Path) -> int:
    from datetime import datetime

    from cxr_runtime.appliance.health import State, is_stale, read_health
    from cxr_runtime.language import counted

    found = read_health(file)
    last = "none" if found.last_film is None else found.last_film.isoformat(timespec="seconds")
    is_gone = is_stale(found, datetime.now().astimezone())
    since = f"no news since {found.time.isoformat(timespec='seconds')}"
    state = since if is_gone else found.state.value
    typer.echo(", ".join([state, *found.amiss]))
    typer.echo(f"films: {found.films}, last {last}")
    typer.echo(f"waiting: {found.waiting}, to be tried again: {found.to_be_tried_again}")
    free, limit = (f"{count / (1 << 30):.1f} GB" for count in (found.free_bytes, found.stops_below_bytes))
    typer.echo(f"disk: {free} free; below {limit} no film is taken")
    if found.queue is not None:
        wait = "waits" if found.queue.waiting == 1 else "wait"
        were = "was" if found.queue.refused == 1 else "were"
        typer.echo(
            f"results: {found.queue.waiting} {wait} to be sent, {found.queue.refused} {were} refused for good"
        )
    for part in found.parts:
        deaths = f"; died {counted(part.deaths, 'time')}, lately of {part.error}" if part.deaths else ""
        typer.echo(f"{part.name}: {part.state.value}{deaths}")
    if is_gone or found.state is State.ENDED:
        return ExitStatus.FAILED
    return ExitStatus.AMISS if found.state is State.AMISS else ExitStatus.DONE
