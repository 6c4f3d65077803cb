"""`cxr-triage models`: what came with the program."""

import typer


def models() -> int:
    """List the models that came with the program: sha256, precision, calibration, licence."""
    from cxr_runtime.model.folder import bundled_models, open_model

    names = bundled_models()
    for name in names:
        model = open_model(name, allow_uncalibrated=True)
        manifest, calibration = model.manifest, model.calibration
        points = ", ".join(
            f"{point.name} (from {point.threshold:.3f})" for point in calibration.operating_points
        )
        height, width = manifest.preprocessing.input_hw
        typer.echo(
            f"{manifest.name}: {manifest.architecture}, {manifest.precision}, input {height} x {width}"
        )
        typer.echo(f"  sha256       {manifest.model_sha256}")
        typer.echo(f"  calibration  {calibration.method + ', ' + points if model.is_calibrated else 'none'}")
        typer.echo(f"  licence      {manifest.licence or 'not stated'}")
        typer.echo(f"  folder       {model.folder}")
    if not names:
        typer.echo("no model came with this installation; make one with `cxr-triage export`")
    return 0
