"""The built site: complete, linked, executed, readable by everybody, and on its own host."""

import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from jupyter_cache import get_cache

from autograde import specs

ROOT = Path(__file__).parents[2]
PLACEHOLDER = re.compile(r"\b(TODO|TBD|FIXME|XXX|lorem ipsum|coming soon)\b", re.IGNORECASE)
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}


@cache
def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="session")
def pages(site):
    """Every page of the course, without Sphinx's own index and search pages."""
    found = sorted((site.html / "book").glob("*.html"))
    assert {page.stem for page in found} >= {"index", "bibliography"}
    return found


@pytest.fixture(scope="session")
def notebooks(site):
    """Every executed page, as the notebook whose outputs the page shows.

    They lie in the cache of executed pages. The build's own copy (`jupyter_execute`) has
    every page too, but without outputs where the page was not run again.
    """
    cache = get_cache(re.search(r"Using jupyter-cache at: (.+)", site.log)[1])
    copies = sorted((site.build / "jupyter_execute" / "book").glob("*.ipynb"))
    found = {}
    for path in copies:
        record = cache.match_cache_notebook(nbformat.read(path, as_version=4))
        found[path.stem] = cache.get_cache_bundle(record.pk).nb
    assert found
    return found


def test_builds_from_nothing_without_a_warning(build_result):
    assert build_result.returncode == 0, build_result.log[-5000:]
    assert not re.findall(r"(?:WARNING|ERROR): .*", build_result.log)


def test_the_first_page_leads_to_the_start_page(site):
    refresh = soup(site.html / "index.html").find("meta", {"http-equiv": "Refresh"})
    assert refresh["content"].endswith("url=book/index.html")


def test_links_and_anchors_resolve(site):
    broken = []
    for page in site.html.rglob("*.html"):
        if "_static" in page.relative_to(site.html).parts:
            continue
        for link in soup(page).select("a[href]"):
            url = urlsplit(link["href"])
            if url.scheme or url.netloc:
                continue
            target = (page.parent / unquote(url.path)).resolve() if url.path else page
            anchor = unquote(url.fragment) if target.suffix == ".html" else ""
            if not target.is_file() or (anchor and not soup(target).find(id=anchor)):
                broken.append((page.name, link["href"]))
    assert not broken


def test_nothing_is_loaded_from_another_host(site):
    foreign = [
        (page.name, tag.name, tag[attribute])
        for page in site.html.rglob("*.html")
        for name, attribute in LOADED.items()
        for tag in soup(page).find_all(name, **{attribute: True})
        if re.match(r"(https?:)?//", tag[attribute])
    ]
    assert not foreign
    for style in (site.html / "_static").rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text("utf-8"))
    scripts = [tag for page in site.html.rglob("*.html") for tag in soup(page)("script")]
    assert not [tag for tag in scripts if "thebe" in str(tag) or "require.min" in str(tag)]


def test_no_formula_shows_a_backslash(pages):
    """MathJax takes the text in `\\text{}` as it is."""
    for page in pages:
        assert not re.search(r"\\text\{[^}]*\\", page.read_text("utf-8")), page.name


def test_no_number_became_a_list(pages):
    """A line of a list that begins with "1." by chance is a list of its own to Markdown."""
    steps = [len(ol.find_all("li", recursive=False)) for p in pages for ol in soup(p).select("ol")]
    assert steps
    assert 1 not in steps


def test_every_cell_ran_and_none_complained(notebooks):
    for name, notebook in notebooks.items():
        cells = [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]
        assert cells
        for number, cell in enumerate(cells, 1):
            assert cell.execution_count == number, (name, cell.source)
            kinds = {(out.output_type, out.get("name")) for out in cell.outputs}
            assert ("stream", "stderr") not in kinds, (name, cell.source)
            assert "error" not in {kind for kind, _ in kinds}, (name, cell.source)


def test_no_placeholder_text(pages):
    for page in pages:
        assert not PLACEHOLDER.findall(soup(page).article.get_text()), page.name


def test_every_picture_says_what_it_shows(site):
    for page in site.html.rglob("*.html"):
        if "_static" in page.relative_to(site.html).parts:
            continue
        for image in soup(page).find_all("img"):
            assert image.has_attr("alt"), (page.name, image)
        for svg in soup(page).find_all("svg"):
            named = svg.get("role") == "img" and svg.get("aria-label", "").strip()
            assert named or svg.get("aria-hidden") == "true", (page.name, str(svg)[:200])
        ids = [tag["id"] for tag in soup(page).select("[id]")]
        assert len(ids) == len(set(ids)), (page.name, {i for i in ids if ids.count(i) > 1})


def test_framework_cells_stand_in_tabs(pages):
    for page in pages:
        for cell in soup(page).select("div.cell.tag_torch, div.cell.tag_tensorflow"):
            assert cell.find_parent(class_="sd-tab-content"), (page.name, cell.text[:80])
        for tabs in soup(page).select(".ubh-frameworks"):
            labels = tabs.find_all("label", recursive=False)
            assert [label.text.strip() for label in labels] == ["PyTorch", "TensorFlow"]


@pytest.mark.parametrize("name", specs.names())
def test_specs_point_to_sections_that_exist(site, name):
    spec = specs.get(name)
    for target in (spec.chapter, *(mistake.section for mistake in spec.misconceptions)):
        page, _, anchor = target.partition("#")
        path = site.html / f"{page}.html"
        assert path.is_file(), target
        assert not anchor or soup(path).find(id=anchor), target


def test_every_executable_page_offers_a_notebook_that_stands_alone(
    site, pages, notebooks, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for page in pages:
        links = [a["href"] for a in soup(page).select("a[href$='.ipynb']")]
        if page.stem not in notebooks:
            assert not links
            continue
        (link,) = links
        path = (page.parent / link).resolve()
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert "from figures import" not in "\n".join(cell.source for cell in code)
        assert "../benchmarks/" not in "\n".join(cell.source for cell in code)
        if "from figures import" in (ROOT / "book" / f"{page.stem}.md").read_text("utf-8"):
            # The folded first cell brings the drawing functions along, behind the files it reads.
            files = [cell for cell in code if cell.source.startswith("%%writefile ")]
            first = next(cell for cell in code if cell not in files)
            for magic, _, text in (file.source.partition("\n") for file in files):
                (tmp_path / magic.split()[1]).write_text(text, encoding="utf-8")
            names = {}
            exec(first.source, names)
            assert "<svg" in names["legend"]().html
            assert first.metadata.jupyter.source_hidden


def test_sources_name_no_path_of_the_machine(site):
    for path in site.html.rglob("*.html"):
        assert str(ROOT) not in path.read_text("utf-8"), path.name
    for path in (site.html / "_sources").rglob("*.ipynb"):
        assert str(ROOT) not in json.dumps(json.loads(path.read_text("utf-8"))), path.name
