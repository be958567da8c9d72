"""The report of a run is written again from its record."""

import sample_records

from reprogram.report import record as records
from tests import commands


def test_the_page_of_a_run_is_written_again(tmp_path):
    records.save(tmp_path / "record.json", sample_records.molecules())
    again, elsewhere, wrong, both, nowhere = commands.run(
        "reprogram.scripts.report",
        (f"--run={tmp_path}",),
        (f"--run={tmp_path / 'record.json'}", f"--output={tmp_path}/b.html"),
        (f"--run={tmp_path}", f"--output={tmp_path / 'run.md'}"),
        (f"--run={tmp_path}", "--card=card.json"),
        (f"--run={tmp_path / 'nowhere'}",),
    )
    assert again.code == elsewhere.code == 0, again.err + elsewhere.err
    assert again.out.startswith("Use the Tanimoto-kernel Gaussian process")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert (tmp_path / "b.html").read_text("utf-8") == page
    assert wrong.code == 2 and "written as .html" in wrong.err
    assert both.code == 2 and "one of the two" in both.err
    assert nowhere.code == 2 and "No record at" in nowhere.err
