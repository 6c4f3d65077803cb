"""`cxr-triage lab`: the laboratory's programs, which make and measure what the other commands ship."""

from collections.abc import Callable

from cxr_cli.lab.bundle import drop_unused, make_offline_bundle, print_parts
from cxr_cli.lab.house import print_house
from cxr_cli.lab.measuring import (
    calibrate_from_margins,
    damage_films,
    darken_films,
    fuzz_readers,
    print_gpu_page,
    print_precisions,
    print_promise_trials,
    print_way_of_a_film,
    print_whole_choice,
    rehearse_monitoring,
)
from cxr_cli.lab.pages import (
    draw_pictures_of_docs,
    print_card_tables,
    print_model_rows,
    write_calibration_page,
    write_measured_page,
)
from cxr_cli.lab.scanned import print_regions, print_similar
from cxr_cli.lab.signing import make_signing_key, sign_model
from cxr_cli.lab.sites import print_few_labels, print_foreign_nights
from cxr_cli.lab.speed import (
    measure_arriving,
    measure_scale,
    measure_served,
    print_peers,
    print_previews,
    print_workers,
)
from cxr_cli.lab.training import (
    check_imports,
    draw_films,
    make_gate_network,
    print_truth,
    refit_runs,
    try_heat,
    write_known_films,
    write_margins,
    write_opinions,
)
from cxr_cli.lab.words import update_words

COMMANDS: dict[str, dict[str, Callable[..., int]]] = {
    "Networks and their heat": {
        "gate": make_gate_network,
        "heat-refit": refit_runs,
        "heat-choices": try_heat,
        "known-films": write_known_films,
        "margins": write_margins,
        "opinions": write_opinions,
        "drawn-films": draw_films,
        "import-check": check_imports,
        "signing-key": make_signing_key,
        "sign": sign_model,
    },
    "Thresholds, cards and pages": {
        "out-of-fold": calibrate_from_margins,
        "card-tables": print_card_tables,
        "calibration-page": write_calibration_page,
        "model-rows": print_model_rows,
        "page": write_measured_page,
        "pictures": draw_pictures_of_docs,
        "words": update_words,
    },
    "What is promised, and found": {
        "truth": print_truth,
        "whole-choice": print_whole_choice,
        "promise-trials": print_promise_trials,
        "few-labels": print_few_labels,
        "foreign": print_foreign_nights,
        "rehearse": rehearse_monitoring,
        "gamma": darken_films,
        "regions": print_regions,
        "similar": print_similar,
        "precisions": print_precisions,
    },
    "Bad files": {
        "damage": damage_films,
        "fuzz": fuzz_readers,
    },
    "Speed and scale": {
        "arriving": measure_arriving,
        "scale": measure_scale,
        "served": measure_served,
        "peers": print_peers,
        "previews": print_previews,
        "workers": print_workers,
        "gpu": print_gpu_page,
    },
    "The house and its packages": {
        "house": print_house,
        "way": print_way_of_a_film,
        "bundle": make_offline_bundle,
        "parts": print_parts,
        "slim": drop_unused,
    },
}
