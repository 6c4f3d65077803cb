"""`cxr-triage serve`: the thin face of `cxr_runtime.server`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxr_cli.report_options import LatestLanguage

if TYPE_CHECKING:
    from cxr_runtime.journal import Journal
    from cxr_runtime.server.alerts import AlertOptions


def serve(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", show_default=False, help="Output folder; a scan may run meanwhile."),
    ],
    host: Annotated[
        str,
        typer.Option(help="Address to listen at; another than this machine's own needs accounts and TLS."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8080,
    certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", show_default="none", help="Certificate for TLS, PEM.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", show_default="in the certificate", help="Its key, PEM.")
    ] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy on this machine speaks TLS and hands requests on.")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", show_default="this machine's", help="Name by which browsers call it."),
    ] = None,
    blinded: Annotated[
        bool,
        typer.Option("--blinded", help="Hide score and heat from each reader until he has said a verdict."),
    ] = False,
    language: LatestLanguage = None,
    alert_score: Annotated[
        float | None,
        typer.Option(metavar="SCORE", show_default="none", help="Call out films with this score or more."),
    ] = None,
    alert_command: Annotated[
        str,
        typer.Option(metavar="CMD", show_default="none", help="Run this then; film and score are added."),
    ] = "",
) -> int:
    """Show the worklist in a browser, with films at full depth, and keep what readers say of them.

    Only this machine can open it, without a login, until there are accounts (`cxr-triage user add`). Ctrl-C
    ends it.

    Exit status: 0 ended as asked, 2 wrong usage, 1 the folder holds no store, or the port is taken.
    """
    from cxr_cli.film_options import opened_journal
    from cxr_runtime.arrivals.ending import ending_on_signals
    from cxr_runtime.errors import UsageError
    from cxr_runtime.journal import LogFormat
    from cxr_runtime.server.alerts import AlertOptions, check_alerts
    from cxr_runtime.server.serving import ServeOptions, Serving, check
    from cxr_runtime.workers.opener import Opener

    names = tuple(name or ())
    options = ServeOptions(folder, host, port, certificate, key, behind_proxy, names, blinded, language)
    check(options)
    alerts = None
    if alert_score is not None:
        alerts = AlertOptions(alert_score, alert_command)
        check_alerts(alerts)
    elif alert_command:
        raise UsageError("--alert-command needs a score; add --alert-score 95, or whatever fits your clinic")

    def tell(address: str) -> None:
        typer.echo(f"open {address} in a browser of this machine; Ctrl-C ends it", err=True)

    with opened_journal(None, LogFormat.TEXT, on_screen=alerts is not None) as journal, Opener() as opener:
        serving = Serving(options, opener, journal, tell)
        with ending_on_signals(serving.end, journal), _alerting(folder, alerts, journal):
            serving.run()
    return 0


@contextmanager
def _alerting(folder: Path, options: "AlertOptions | None", journal: "Journal") -> Iterator[None]:
    """Very suspicious films are called out meanwhile, by a thread that is begun again where it dies."""
    if options is None:
        yield
        return
    from cxr_runtime.appliance.restarting import Standing, Supervised
    from cxr_runtime.server.alerts import Alerts

    alerts = Alerts(folder, options, journal)
    standing = Standing("alerts", journal, lambda sentence: typer.echo(sentence, err=True))
    supervised = Supervised(lambda: alerts, standing)
    supervised.start("alerts")
    try:
        yield
    finally:
        supervised.end()
        supervised.join(10)
