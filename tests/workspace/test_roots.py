"""A browser may name folders below GAD_ROOTS; of all others it does not learn whether they are there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gad_core.errors import GadError
from gad_core.workspace.imports import add_folder
from gad_core.workspace.roots import Roots, roots_of
from gad_core.workspace.rows import Counts
from gad_core.workspace.store import Store, open_store
from gad_core.workspace.watching import Watcher


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    folder.mkdir()
    return folder


@pytest.fixture
def fenced(tmp_path: Path, allowed: Path):
    with Store(tmp_path / "home", roots=Roots((allowed,))) as store:
        yield store


def heard(call: Callable[[], object]) -> str:
    with pytest.raises(GadError) as refused:
        call()
    return str(refused.value)


def test_by_default_the_home_folder_and_the_workspace_are_allowed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert roots_of({}, tmp_path / "gad").folders == (tmp_path / "me", tmp_path / "gad")
    assert roots_of({"GAD_ROOTS": "/a:~/b:"}, tmp_path).folders == (Path("/a"), tmp_path / "me/b")


def test_the_store_of_a_server_keeps_to_them_and_that_of_a_program_does_not(tmp_path: Path, category) -> None:
    root = category()
    environment = {"GAD_HOME": str(tmp_path / "home"), "GAD_ROOTS": str(tmp_path / "else")}
    with open_store(environment) as store:
        assert "lies outside the folders that this server may read" in heard(lambda: add_folder(store, root))
        assert store.datasets.all() == ()
    with open_store(environment | {"GAD_ROOTS": str(tmp_path)}) as store:
        assert add_folder(store, root).counts.train == 3
    with Store(tmp_path / "other") as store:
        assert add_folder(store, root).counts.train == 3


@pytest.mark.parametrize("way", ["plain", "dots", "link", "link to what is not there"])
def test_what_lies_outside_gives_one_sentence_whether_it_is_there_or_not(
    way: str, tmp_path: Path, allowed: Path, fenced: Store, category
) -> None:
    there, gone = category("there"), tmp_path / "gone"
    (tmp_path / "there/a.txt").touch()
    named = []
    for path in (there, gone, there / "a.txt"):
        if way == "dots":
            named.append(allowed / ".." / path.relative_to(tmp_path))
        elif way.startswith("link"):
            link = allowed / f"link{len(named)}"
            link.symlink_to(path)
            named.append(link)
        else:
            named.append(path)
    doors = (
        lambda path: add_folder(fenced, path),
        fenced.roots.list,
        fenced.roots.check_images,
        lambda path: fenced.watches.start("any", path),
    )
    for door in doors:
        words = {heard(lambda door=door, path=path: door(path)).replace(str(path), "PATH") for path in named}
        assert words == {
            f"PATH lies outside the folders that this server may read; choose one below {allowed}, or have it added to "
            "GAD_ROOTS where the server is started"
        }


def test_a_home_folder_of_somebody_else_is_not_told(fenced: Store) -> None:
    root, nobody = (heard(lambda name=name: fenced.roots.check(Path(name))) for name in ("~root", "~nosuchuser"))
    assert root.replace("~root", "~nosuchuser") == nobody


def test_links_within_a_folder_that_lead_outside_are_refused_by_name(
    tmp_path: Path, allowed: Path, fenced: Store, category
) -> None:
    outside, inside = category("secret"), category("allowed/plug")
    (inside / "train/good/linked.png").symlink_to(outside / "train/good/000.png")
    (inside / "test/far").symlink_to(outside / "test/bent")
    (inside / "ground_truth/bent/001_mask.png").symlink_to(outside / "ground_truth/bent/000_mask.png")
    row = add_folder(fenced, inside)
    assert row.counts == Counts(train=3, test_normal=2, test_defective=2)
    assert [Path(one.path).name for one in row.refused] == ["linked.png", "000.png", "001.png"]
    assert {one.reason for one in row.refused} == {
        "it leads outside the folders that this server may read; add them to GAD_ROOTS"
    }
    images = fenced.read(row)
    assert len(images.train) + len(images.test) == 7
    assert [file.mask is not None for file in images.test if file.anomalous] == [True, False]


def test_a_data_set_outside_roots_that_were_narrowed_is_not_read_any_more(tmp_path: Path, category) -> None:
    with Store(tmp_path / "home") as store:
        row = add_folder(store, category())
    with Store(tmp_path / "home", roots=Roots((tmp_path / "else",))) as store:
        assert "lies outside" in heard(lambda: store.read(row))


def test_a_folder_that_is_looked_through_does_not_show_links_that_lead_outside(
    tmp_path: Path, allowed: Path, fenced: Store, category
) -> None:
    (allowed / "far").symlink_to(category("secret"))
    category("allowed/plug")
    assert [one.path.name for one in fenced.roots.list(allowed).folders] == ["plug"]


def test_results_of_a_watch_go_to_no_file_outside(tmp_path: Path, allowed: Path, fenced: Store) -> None:
    file = tmp_path / "results.jsonl"
    assert "lies outside" in heard(lambda: fenced.watches.start("any", allowed, sink=str(file)))
    assert not file.exists()


def test_a_watch_outside_roots_that_were_narrowed_says_so(tmp_path: Path, store: Store, six) -> None:
    line = tmp_path / "line"
    line.mkdir()
    watch = store.watches.start(six.id, line)
    store.close()
    with Store(tmp_path / "home", roots=Roots((tmp_path / "else",))) as narrowed:
        watcher = Watcher(narrowed)
        watcher.look()
        assert "lies outside" in (watcher.state(watch.id).error or "")
