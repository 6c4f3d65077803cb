"""Every way to code a film goes through a worker that the system confines as through this process."""

from pathlib import Path

import numpy as np

from cxr_runtime.benchmark.damaged_films import CODINGS
from cxr_runtime.model.preprocessing import Preprocessing
from cxr_runtime.phantom import draw_phantom
from cxr_runtime.scanning.answers import Examining
from cxr_runtime.scanning.examination import Admitted, Examination, Examined, Order, examine
from cxr_runtime.scanning.flow import Wanted
from cxr_runtime.scanning.opening import opened
from cxr_runtime.sources.film_source import FileOnDisk
from cxr_runtime.store.rows import Place
from cxr_runtime.workers.opened import can_pass_files
from cxr_runtime.workers.opener import Opener
from cxr_runtime.workers.pool import WorkerPool

HOW = Preprocessing()


def test_every_coding_is_read_in_the_sandbox_as_outside_it(tmp_path: Path) -> None:
    film = draw_phantom(3, hw=(400, 400))
    wanted = list[Wanted]()
    for number, (name, coding) in enumerate(CODINGS.items()):
        path = tmp_path / str(number)
        path.write_bytes(coding.encode(film))
        wanted.append((Place(number, name, ""), FileOnDisk(name, path)))
    with Opener() as opener, WorkerPool[Examination, Examined](Examining(), 1) as pool:
        if can_pass_files():
            tasks = list(opened(wanted, opener, HOW, lambda _place, _digest: None))
        else:
            tasks = [Examination(*item, HOW) for item in wanted if isinstance(item, tuple)]
        ends = [item for item in pool.results(tasks) if isinstance(item, tuple)]
    assert len(ends) == len(CODINGS)
    for task, end in ends:
        assert isinstance(task, Examination)
        outside = examine(Order(HOW, task.source))
        assert isinstance(outside, Admitted), task.place.file
        assert isinstance(end, Admitted), (task.place.file, end)
        assert end.sha256 == outside.sha256
        assert end.facts == outside.facts
        np.testing.assert_array_equal(end.inputs, outside.inputs)
        np.testing.assert_array_equal(end.preview, outside.preview)
        task.close()
