"""What leaves the tool: a detector as one ONNX graph, with what its threshold was made from."""
