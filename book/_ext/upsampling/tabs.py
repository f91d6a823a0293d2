"""Framework tabs: adjacent code cells tagged `torch` and `tensorflow` become a tab-set."""

from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx_design.shared import create_component

FRAMEWORKS = {"torch": "PyTorch", "tensorflow": "TensorFlow"}


def framework_of(node):
    """Return the framework that a doctree node's cell is tagged with, or None."""
    if not isinstance(node, nodes.container) or node.get("nb_element") != "cell_code":
        return None
    found = [name for name in FRAMEWORKS if f"tag_{name}" in node["classes"]]
    return found[0] if found else None


class FrameworkTabs(SphinxTransform):
    """Group each run of adjacent tagged cells into one tab-set, synced by framework.

    Neighbouring cells of the same framework share a tab; a framework that comes back after
    the other one starts a new tab-set. A run with one framework only is left alone.
    """

    default_priority = 500

    def apply(self):
        """Replace the runs in the document."""
        parents = {
            node.parent for node in self.document.findall(nodes.container) if framework_of(node)
        }
        for parent in parents:
            for run in list(self._runs(parent)):
                if len(run) > 1:
                    self._replace(parent, run)

    def _runs(self, parent):
        """Yield each run of adjacent tagged cells as a dict: framework to cells."""
        run, last = {}, None
        for child in parent.children:
            framework = framework_of(child)
            if framework is None or (framework in run and framework != last):
                yield run
                run = {}
            if framework is not None:
                run.setdefault(framework, []).append(child)
            last = framework
        yield run

    def _replace(self, parent, run):
        """Put a tab-set where the run's first cell stands, and the cells into its tabs."""
        tab_set = create_component("tab-set", classes=["sd-tab-set", "ubh-frameworks"])
        first = next(iter(run.values()))[0]
        tab_set.source, tab_set.line = first.source, first.line
        parent.insert(parent.index(first), tab_set)
        for framework, cells in run.items():
            title = FRAMEWORKS[framework]
            label = nodes.rubric(title, title, classes=["sd-tab-label"])
            label["sync_group"], label["sync_id"] = "framework", framework
            content = create_component("tab-content", classes=["sd-tab-content"])
            for cell in cells:
                parent.remove(cell)
                content += cell
            tab_set += create_component(
                "tab-item", classes=["sd-tab-item"], children=[label, content]
            )


def setup(app):
    """Register the transform."""
    app.add_transform(FrameworkTabs)
