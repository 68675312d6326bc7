"""Build MediaPipe's Face Landmark network: 468 points in three dimensions on a face turned upright.

Input ``input``: uint8 (N, 192, 192, 3) RGB, a square around the face turned so that the eyes are level. Outputs:

``points``
    float32 (N, 468, 3): x and y in pixels of the square (0..192), z in the same unit, smaller towards the camera,
    about 0 at the middle of the head. The topology is MediaPipe's canonical face model: 33 and 133 are the corners of
    the eye at the left of the picture, 362 and 263 those of the other eye, 1 the tip of the nose, 61 and 291 the
    corners of the mouth, 152 the chin.
``presence``
    float32 (N,): probability that there is a face, 0..1.
"""

from __future__ import annotations

import numpy as np
from fast_prelu import rewrite_prelu
from onnx import TensorProto, helper
from onnx_edit import Network, float_output, pixels_input, store_as_halves, widen_by_convolution
from tflite_to_onnx import convert

CROP_SIZE = 192
POINTS = 468
# The published network takes 0..1.
PIXEL_SCALE = 1 / 255
SMALLEST_HALF_WEIGHT = 4096


def build_face_landmark(tflite: bytes, name: str) -> bytes:
    """Build the network: input and outputs as the module describes."""
    network = Network(convert(tflite))
    (first,) = network.consumers("input")
    network.scale_rows(first.input[1], np.full(len(network.weights[first.input[1]]), PIXEL_SCALE))
    widen_by_convolution(network)
    rewrite_prelu(network)
    first.input[0] = "planes"
    network.weights["points_shape"] = np.array([0, POINTS, 3], np.int64)
    network.weights["batch_shape"] = np.array([-1], np.int64)
    points, logit = network.outputs
    network.nodes[:0] = [
        helper.make_node("Transpose", ["input"], ["bytes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["bytes"], ["planes"], to=TensorProto.FLOAT),
    ]
    network.nodes += [
        helper.make_node("Reshape", [points, "points_shape"], ["points"]),
        helper.make_node("Reshape", [logit, "batch_shape"], ["presence_logit"]),
        helper.make_node("Sigmoid", ["presence_logit"], ["presence"]),
    ]
    store_as_halves(network, SMALLEST_HALF_WEIGHT)
    return network.model([pixels_input(CROP_SIZE)], [float_output("points", POINTS, 3), float_output("presence")], name)
