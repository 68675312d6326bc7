"""Names of faces beside photos: read in each of the usual forms, written and read back, and nothing harmed."""

from __future__ import annotations

from pathlib import Path

import pytest

from facegui.errors import KnownError
from facegui.faces.types import Box
from facegui.sources.regions import Region, read_regions, write_sidecar

DIGIKAM = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#">
<mwg-rs:Regions rdf:parseType="Resource">
<mwg-rs:AppliedToDimensions stDim:w="400" stDim:h="200" stDim:unit="pixel"/>
<mwg-rs:RegionList><rdf:Bag>
<rdf:li><rdf:Description mwg-rs:Name="Zoë Example" mwg-rs:Type="Face">
<mwg-rs:Area stArea:x="0.3" stArea:y="0.5" stArea:w="0.2" stArea:h="0.4" stArea:unit="normalized"/>
</rdf:Description></rdf:li>
<rdf:li><rdf:Description mwg-rs:Name="A dog" mwg-rs:Type="Pet">
<mwg-rs:Area stArea:x="0.3" stArea:y="0.5" stArea:w="0.2" stArea:h="0.4" stArea:unit="normalized"/>
</rdf:Description></rdf:li>
</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""

LIGHTROOM = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:format>image/jpeg</dc:format>
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Seq><rdf:li rdf:parseType="Resource">
<mwg-rs:Name>Ada Example</mwg-rs:Name><mwg-rs:Type>Face</mwg-rs:Type>
<mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.5</stArea:x><stArea:y>0.25</stArea:y>
<stArea:w>0.1</stArea:w><stArea:h>0.3</stArea:h><stArea:unit>normalized</stArea:unit></mwg-rs:Area>
</rdf:li></rdf:Seq></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description></rdf:RDF></x:xmpmeta>"""

MICROSOFT = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
 xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#">
<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
<rdf:li MPReg:Rectangle="0.1, 0.2, 0.3, 0.4" MPReg:PersonDisplayName="Mo Example"/>
</rdf:Bag></MPRI:Regions></MP:RegionInfo></rdf:Description></rdf:RDF></x:xmpmeta>"""


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8 no real picture \xff\xd9")
    return path


def names(photo: Path, orientation: int = 1) -> list[tuple[str, tuple[float, ...], str]]:
    return [
        (r.name, tuple(round(v, 4) for v in (r.box.x, r.box.y, r.box.width, r.box.height)), r.source)
        for r in read_regions(photo, orientation)
    ]


def test_regions_inside_a_photo_are_read_and_pets_are_not(photo: Path) -> None:
    photo.write_bytes(b"\xff\xd8\xff\xe1" + DIGIKAM.encode() + b"\xff\xd9")
    assert names(photo) == [("Zoë Example", (0.2, 0.3, 0.2, 0.4), "photo")]


@pytest.mark.parametrize("sidecar", ["photo.jpg.xmp", "photo.xmp"])
def test_a_sidecar_goes_before_the_photo(photo: Path, sidecar: str) -> None:
    photo.write_bytes(DIGIKAM.encode())
    photo.with_name(sidecar).write_text(LIGHTROOM, "utf-8")
    assert names(photo) == [("Ada Example", (0.45, 0.1, 0.1, 0.3), "sidecar")]


def test_the_regions_of_windows_are_read(photo: Path) -> None:
    photo.write_bytes(MICROSOFT.encode())
    assert names(photo) == [("Mo Example", (0.1, 0.2, 0.3, 0.4), "photo")]


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [(3, (0.6, 0.4, 0.3, 0.4)), (6, (0.4, 0.1, 0.4, 0.3)), (8, (0.2, 0.6, 0.4, 0.3)), (2, (0.6, 0.2, 0.3, 0.4))],
)
def test_regions_of_a_turned_photo_are_turned_with_it(
    photo: Path, orientation: int, expected: tuple[float, ...]
) -> None:
    photo.write_bytes(MICROSOFT.encode())
    assert names(photo, orientation)[0][1] == expected


def test_picasas_list_is_read(photo: Path) -> None:
    photo.with_name(".picasa.ini").write_text(
        "[Picasa]\nname=Album\n[photo.jpg]\nrotate=rotate(0)\n"
        "faces=rect64(1999333366664ccc),aabbccdd11223344;rect64(0000000080008000),ffffffffffffffff\n"
        "[Contacts2]\naabbccdd11223344=Pia Example;;\n",
        "utf-8",
    )
    assert names(photo) == [("Pia Example", (0.1, 0.2, 0.3, 0.1), "picasa")]


@pytest.mark.parametrize(
    "text",
    ["", "<x:xmpmeta", "<x:xmpmeta>&bomb;</x:xmpmeta>", "no xml", LIGHTROOM.replace("0.1<", "wide<"),
     LIGHTROOM.replace("0.1<", "-0.1<"), '<!DOCTYPE x [<!ENTITY a "b">]>' + LIGHTROOM],
)  # fmt: skip
def test_what_cannot_be_understood_is_no_region(photo: Path, text: str) -> None:
    photo.with_name("photo.jpg.xmp").write_text(text, "utf-8")
    assert names(photo) == []


def test_written_names_are_read_back_and_the_rest_of_a_sidecar_stays(photo: Path) -> None:
    sidecar = photo.with_name("photo.xmp")
    sidecar.write_text(LIGHTROOM, "utf-8")
    before = photo.read_bytes()
    wanted = [Region("Bo & <Co>", Box(0.2, 0.3, 0.1, 0.2), "sidecar"), Region("Émile", Box(0.6, 0.1, 0.2, 0.2), "x")]
    assert write_sidecar(photo, wanted, (400, 200)) == sidecar
    found = read_regions(photo)
    assert [(region.name, region.source) for region in found] == [("Bo & <Co>", "sidecar"), ("Émile", "sidecar")]
    assert found[0].box.x == pytest.approx(0.2, abs=1e-5)
    assert "image/jpeg" in sidecar.read_text("utf-8")
    assert "Ada" not in sidecar.read_text("utf-8")
    assert photo.read_bytes() == before
    write_sidecar(photo, wanted[:1], (400, 200))
    assert len(read_regions(photo)) == 1
    assert sorted(entry.name for entry in photo.parent.iterdir()) == ["photo.jpg", "photo.xmp"]


def test_a_sidecar_that_cannot_be_understood_is_left_alone(photo: Path) -> None:
    sidecar = photo.with_name("photo.jpg.xmp")
    sidecar.write_text("<half", "utf-8")
    with pytest.raises(KnownError, match="left as it is"):
        write_sidecar(photo, [], (1, 1))
    assert sidecar.read_text("utf-8") == "<half"
