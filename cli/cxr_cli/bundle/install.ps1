# Installs cxr-triage from this folder, without a network. install.ps1 [FOLDER]   (default: C:\Program Files\cxr-triage)
param([string]$Target = "$env:ProgramFiles\cxr-triage", [string]$Python = "py")
$ErrorActionPreference = "Stop"
Set-Location -LiteralPath $PSScriptRoot

foreach ($line in Get-Content -Encoding UTF8 SHA256SUMS) {
  $digest, $file = $line -split "  ", 2
  if ((Get-FileHash -Algorithm SHA256 -LiteralPath $file).Hash -ne $digest) {
    throw "the bundle is damaged or was changed ($file); get it again"
  }
}
& $Python -m venv $Target
if ($LASTEXITCODE) { throw "$Python makes no environment; install Python from python.org" }
& "$Target\Scripts\python.exe" -m pip install --quiet --disable-pip-version-check --no-index `
  --find-links wheels --require-hashes --requirement requirements.txt
if ($LASTEXITCODE) { throw "pip could not install the wheels; was Python of the version taken that the bundle is for?" }
# Ours once more: another one of the same version would stay.
& "$Target\Scripts\python.exe" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall `
  (Get-Item wheels\cxr_triage-*.whl).FullName
if ($LASTEXITCODE) { throw "pip could not install the program" }
& "$Target\Scripts\cxr-triage.exe" --version
Write-Output "installed into $Target; `"$Target\Scripts\cxr-triage.exe`" doctor says what works here"
