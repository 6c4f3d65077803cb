"""The products that the logits are made of directly: small, and the score rests on them."""

from cxr_runtime.backends.graph.onnx_graph import Graph, Node

COMPUTED = ("Conv", "Gemm", "MatMul")


def last_products(graph: Graph, output: str) -> list[Node]:
    """Convolutions and products with no other one between them and an output.

    Args:
        graph: a whole model.
        output: name of the output, e.g. `logits`.
    """
    makers = {name: node for node in graph.nodes for name in node.outputs}
    found: dict[str, Node] = {}
    seen, waiting = set[str](), [output]
    while waiting:
        name = waiting.pop()
        node = makers.get(name)
        if node is None or name in seen:
            continue
        seen.add(name)
        if node.op_type in COMPUTED:
            found[name] = node
        else:
            waiting += node.inputs
    return list(found.values())
