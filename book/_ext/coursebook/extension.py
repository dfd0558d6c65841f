"""The book's own Sphinx extension: own cache, own assets, no stranger's server, no picture without words."""

from typing import Any
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from coursebook import (
    accessible,
    api,
    assets,
    cache,
    code,
    fonts,
    formulas,
    grading,
    kernel,
    launch,
    notebooks,
    pages,
    paper,
    pictures,
    runlog,
    runs,
    scripts,
    search,
    site,
    social,
    source,
    styles,
    terms,
    zoo,
)


def configure(app: Sphinx, config: Config) -> None:
    """Set what depends on the machine: the folder of executed chapters and that of the pages' scripts."""
    kernel.isolate()
    config.nb_execution_cache_path = str(cache.cache_path())
    config.html_static_path += [str(assets.ensure()), str(fonts.ensure())]
    config.ogp_site_url = config.html_baseurl
    config.myst_substitutions["pdf"] = f"[one PDF]({urljoin(config.html_baseurl, paper.NAME)})"
    config.project = config.ogp_site_name = config.html_title


def prune_cache(app: Sphinx, error: Exception | None) -> None:
    """After a good build, forget the executed chapters of older sources."""
    if error is None:
        cache.prune(cache.cache_path())


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the parts."""
    app.add_directive("grading-results", grading.GradingResults)
    app.add_directive("run-log", runlog.RunLog)
    app.add_node(runlog.Part)
    app.add_directive("zoo", zoo.ZooDirective)
    app.add_node(zoo.Zoo)
    app.add_search_language(search.EnglishAndChinese)
    app.add_transform(terms.IndexFirstUses)
    app.add_html_math_renderer("svg", (formulas.visit_math, None), (formulas.visit_math_block, None))
    app.add_post_transform(pictures.WebP)
    app.add_node(nodes.image, override=True, html=(pictures.visit_image, pictures.depart_image))
    app.connect("config-inited", configure, priority=900)
    app.connect("autodoc-process-docstring", api.escape_docstring, priority=900)
    app.connect("autodoc-process-signature", api.readable_signature)
    app.connect("doctree-read", api.space_names)
    app.connect("missing-reference", api.show_unlinked, priority=900)
    app.connect("doctree-resolved", pages.drop_unused_widget_state)
    app.connect("doctree-resolved", pages.demand_alt_texts)
    app.connect("doctree-resolved", pages.forbid_leftovers)
    app.connect("doctree-resolved", pictures.out_of_line)
    app.connect("source-read", runs.begin)
    app.connect("doctree-read", runs.end)
    app.connect("env-updated", runlog.refresh)
    app.connect("doctree-resolved", runlog.fill)
    app.connect("doctree-resolved", zoo.fill)
    app.connect("html-page-context", accessible.mend_page)
    app.connect("html-page-context", code.plain)
    # Before the theme leaves out parts that are empty.
    app.connect("html-page-context", launch.add_buttons, priority=100)
    app.connect("html-page-context", notebooks.beside_the_page)
    app.connect("html-page-context", pages.add_widget_scripts)
    app.connect("html-page-context", social.add_tags, priority=100)
    app.connect("html-page-context", source.add_links)
    app.connect("html-page-context", formulas.finish)
    app.connect("html-page-context", styles.gather, priority=900)
    app.connect("html-page-context", scripts.only_needed, priority=900)
    app.connect("html-page-context", terms.arrange)
    app.connect("env-check-consistency", site.check_redirects)
    app.connect("build-finished", pages.add_site_files)
    app.connect("build-finished", site.add_files)
    app.connect("build-finished", scripts.without_measuring)
    app.connect("build-finished", styles.write, priority=900)  # after the theme's own colours of code
    app.connect("build-finished", prune_cache)
    # An edit of the extension reaches every page.
    version = int(cache.cache_key(names=("book/_ext",)), 16)
    return {"env_version": version, "version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
