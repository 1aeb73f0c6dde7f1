"""Graphs of ONNX, built node by node: operators in, names of their values out.

A value is a name. Loops have graphs of their own, which read the values and weights around them.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR = 17, 8  # of 2022: what reads ONNX today reads these
_LOOP_STATE = 2  # inputs of a loop's body before those that are carried


class Graph:
    """Nodes in their order. Weights of inner graphs stand in the outermost one."""

    def __init__(self, outer: 'Graph | None' = None):
        self._nodes: list[Any] = []
        self._root: Graph = outer._root if outer else self
        if outer is None:
            self._weights: list[Any] = []
            self._numbers = itertools.count()

    def _new(self) -> str:
        return f'v{next(self._root._numbers)}'

    def constant(self, values: Any, dtype: Any = None) -> str:
        """A weight, or any other array that is known."""
        name = self._new()
        self._root._weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def integers(self, *values: int) -> str:
        """int64 [N], as shapes and axes are."""
        return self.constant(values, np.int64)

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """The one value that an operator gives; '' for an input that is left out."""
        return self.ops(kind, 1, *inputs, **attributes)[0]

    def ops(self, kind: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """The first `count` values of an operator."""
        names = [self._new() for _ in range(count)]
        self._nodes.append(helper.make_node(kind, inputs, names, **attributes))
        return names

    def loop(
        self,
        count: int,
        body: Callable[['Graph', str, list[str]], tuple[list[str], str]],
        carried: Sequence[tuple[str, int]],
    ) -> str:
        """Runs a body `count` times; stacks what it gives, time first.

        body: (graph, number of the turn, carried values) -> (carried values, what it gives).
        carried: at first, and their kinds (of TensorProto).
        """
        inner = Graph(self)
        turn, again, *names = (inner._new() for _ in range(_LOOP_STATE + len(carried)))
        kinds = [kind for _, kind in carried]
        after, given = body(inner, turn, names)
        # Outputs have names of their own, also where a value goes through as it is.
        outputs = [inner.op('Identity', value) for value in (again, *after, given)]
        first = _values([turn, again], [TensorProto.INT64, TensorProto.BOOL], [])
        last = _values(outputs, [TensorProto.BOOL, *kinds, TensorProto.INT32])
        graph = helper.make_graph(inner._nodes, self._new(), first + _values(names, kinds), last)
        turns, start = self.constant(count, np.int64), self.constant(True)
        inputs = turns, start, *(value for value, _ in carried)
        return self.ops('Loop', len(carried) + 1, *inputs, body=graph)[-1]

    def model(
        self, inputs: dict[str, Any], outputs: dict[str, Any], about: dict[str, str]
    ) -> onnx.ModelProto:
        """The whole. inputs, outputs: kind and shape of each; values of these names are theirs."""
        described = [
            [helper.make_tensor_value_info(name, *what) for name, what in side.items()]
            for side in (inputs, outputs)
        ]
        graph = helper.make_graph(self._nodes, 'mvae', *described, initializer=self._weights)
        opset = [helper.make_opsetid('', OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR, producer_name='mvae')
        helper.set_model_props(model, about)
        return model

    def output(self, value: str, name: str) -> None:
        """Gives a value the name of an output."""
        self._nodes.append(helper.make_node('Identity', [value], [name]))


def _values(names: Sequence[str], kinds: Sequence[int], shape: Any = None) -> list[Any]:
    """What inputs or outputs of a graph are; shape: None where it is not said."""
    pairs = zip(names, kinds, strict=True)
    return [helper.make_tensor_value_info(name, kind, shape) for name, kind in pairs]
