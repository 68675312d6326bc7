from __future__ import annotations

import math
from pathlib import Path

import pytest

from facegui import paths
from facegui.errors import KnownError
from facegui.settings import Settings, changed, load, save, table


def test_settings_come_back_as_they_were_saved() -> None:
    wanted = changed(Settings(), theme="dark", threads=2, mirror_preview=False, target_fmr=1e-4, camera='a "b" \\ c\n')
    save(wanted)
    assert load() == (wanted, ())


def test_only_what_differs_from_the_default_is_written() -> None:
    save(changed(Settings(), threads=4))
    assert paths.config_file().read_text("utf-8") == "threads = 4\n"


def test_without_a_file_the_defaults_hold() -> None:
    assert load() == (Settings(), ())


@pytest.mark.parametrize("content", ["theme = ", "\xff\xfe", "[", "theme = 'dark'\ntheme = 'dark'"])
def test_a_file_that_cannot_be_read_is_ignored_and_that_is_told(content: str) -> None:
    paths.config_file().write_text(content, "latin-1")
    assert load() == (Settings(), ("*",))


def test_wrong_values_fall_back_one_by_one_and_are_named() -> None:
    paths.config_file().write_text(
        "theme = 'pink'\nthreads = true\ntarget_fmr = 0.5\nunknown = 1\nmax_megapixels = 50\n"
    )
    settings, ignored = load()
    assert settings == changed(Settings(), max_megapixels=50)
    assert set(ignored) == {"theme", "threads", "target_fmr", "unknown"}


@pytest.mark.parametrize(
    "change", [{"theme": "pink"}, {"threads": -1}, {"threads": 1.5}, {"target_fmr": math.nan}, {"nothing": 1}]
)
def test_a_wrong_change_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(KnownError):
        changed(Settings(), **change)


def test_every_setting_has_words_for_a_person() -> None:
    for name, info in table().items():
        assert info.group, name
        assert info.label, name
        assert info.effect.endswith("."), name
        default = getattr(Settings(), name)
        if info.choices:
            assert default in {choice.value for choice in info.choices}
        if isinstance(default, int | float) and not isinstance(default, bool):
            assert info.minimum <= default <= info.maximum, name


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KnownError, match="could not be saved"):
        save(Settings(), tmp_path / "file" / "settings.toml")
