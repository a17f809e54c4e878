"""Which module of the core imports which."""

from graphlib import TopologicalSorter

import grimp


def test_no_modules_import_each_other_in_a_circle_of_any_size():
    graph = grimp.build_graph("gad_core", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    order = list(TopologicalSorter(imports).static_order())  # raises CycleError with the modules of a circle
    assert order.index("gad_core.errors") < order.index("gad_core.gaussian.detector") < order.index("gad_core.__main__")
