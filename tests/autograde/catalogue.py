"""The graded functions that the course promises: others rely on these names and signatures.

By problem set, in the order they are asked: the signature, and the frameworks that have the
operation. `predict_…` are numbers to predict before anything runs; each set has at least one.
"""

BOTH = ("PyTorch", "TensorFlow")
TORCH, TF = ("PyTorch",), ("TensorFlow",)

TRANSPOSED_1D = "(y, w, stride=1, padding=0, output_padding=0)"

CATALOGUE = {
    "ps01-resampling": {
        "nearest_indices": ("(n_in, n_out)", TORCH),
        "source_coordinates": ("(n_in, n_out, mode)", BOTH),
        "upsample_nearest2d": ("(x, size)", TORCH),
        "linear_matrix": ("(n_in, n_out, align_corners=False)", BOTH),
        "upsample_bilinear2d": ("(x, size, align_corners=False)", BOTH),
        "upsample_bicubic2d": ("(x, size, a=-0.75, align_corners=False)", BOTH),
        "pixel_shuffle": ("(x, r)", TORCH),
        "pixel_unshuffle": ("(x, r)", TORCH),
        "depth_to_space_nhwc": ("(x, r)", TF),
    },
    "ps02-unpooling": {
        "max_pool2d_with_indices": ("(x, kernel_size, stride=None, padding=0)", TORCH),
        "tf_argmax_to_indices": ("(argmax, input_shape, include_batch_in_index=False)", BOTH),
        "unpool_repeat": ("(x, k)", BOTH),
        "unpool_bed_of_nails": ("(x, k)", BOTH),
        "max_unpool2d": (
            "(x, indices, kernel_size, stride=None, padding=0, output_size=None)",
            TORCH,
        ),
        "max_unpool_nhwc": ("(pooled, argmax, output_shape)", BOTH),
        "max_unpool2d_backward": ("(grad_output, indices)", TORCH),
    },
    "ps03-transposed-conv-1d": {
        "conv1d": ("(x, w, stride=1, padding=0)", BOTH),
        "same_padding": ("(n, k, s)", TF),
        "conv1d_matrix": ("(n, w, stride=1, padding=0)", BOTH),
        "conv_transpose1d_scatter": (TRANSPOSED_1D, BOTH),
        "conv_transpose1d_gather": (TRANSPOSED_1D, BOTH),
        "conv_transpose1d_zero_insert": (TRANSPOSED_1D, BOTH),
        "polyphase_split": ("(w, stride)", BOTH),
        "conv_transpose1d_polyphase": (TRANSPOSED_1D, BOTH),
    },
    "ps04-transposed-conv-2d": {
        "conv2d_matrix": ("(h, w, kernel, stride=1, padding=0)", BOTH),
        "conv_transpose2d_by_matrix": ("(y, kernel, out_hw, stride=1, padding=0)", BOTH),
        "conv_transpose2d": (
            "(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1)",
            BOTH,
        ),
        "conv2d_backward_input": ("(grad_output, w, input_hw, stride=1, padding=0)", BOTH),
        "conv2d_backward_weight": ("(x, grad_output, kernel_hw, stride=1, padding=0)", BOTH),
    },
    "ps05-sizes-and-frameworks": {
        "conv_output_size": ("(n, k, s=1, p=0, d=1)", BOTH),
        "conv_transpose_output_size": ("(n, k, s=1, p=0, output_padding=0, d=1)", BOTH),
        "output_padding_for": ("(n_in, n_out, k, s=1, p=0, d=1)", TORCH),
        "tf_output_sizes": ("(n_in, k, s, padding)", TF),
        "conv_transpose2d_tf": ("(x, w, output_hw, strides, padding)", TF),
        "tf_kernel_to_torch": ("(w)", BOTH),
        "torch_kernel_to_tf": ("(w)", BOTH),
        "same_transposed_in_torch": ("(x, w, output_hw, stride)", TF),
    },
    "ps06-gradients": {
        "ConvTranspose1d": ("(x, w, stride)", TORCH),
        "conv_transpose1d_custom": ("(x, w, stride)", TF),
        "conv_transpose2d_as_vjp_torch": ("(x, w, stride, padding)", TORCH),
        "conv_transpose2d_as_vjp_tf": ("(x, w, stride, padding)", TF),
        "adjoint_gap": ("(x, y, w, stride, padding)", BOTH),
    },
    "ps07-initialisation-and-artifacts": {
        "bilinear_kernel": ("(factor)", BOTH),
        "bilinear_weight": ("(channels, factor)", BOTH),
        "upsample_layer_torch": ("(x, factor)", TORCH),
        "upsample_layer_tf": ("(x, factor)", TF),
        "overlap_count": ("(n, k, s)", BOTH),
        "is_uniform": ("(k, s)", BOTH),
        "icnr": ("(shape, r, rng)", TORCH),
        "subpixel_to_transposed": ("(w, r)", TORCH),
    },
    "ps08-networks": {
        "FCN8sHead": ("(c3, c4, c5, classes)", TORCH),
        "UNetUpBlock": ("(c_in, c_skip, c_out)", TORCH),
        "SegNetDecoderBlock": ("(c_in, c_out)", TORCH),
        "ESPCN": ("(factor, channels, width)", TORCH),
        "FCN8sHeadKeras": ("(c3, c4, c5, classes)", BOTH),
        "UNetUpBlockKeras": ("(c_in, c_skip, c_out)", BOTH),
        "SegNetDecoderBlockKeras": ("(c_in, c_out)", BOTH),
        "ESPCNKeras": ("(factor, channels, width)", BOTH),
    },
    "ps09-fast": {
        "im2col": ("(x, kernel_size, stride=1, padding=0, dilation=1)", BOTH),
        "col2im": ("(cols, output_size, kernel_size, stride=1, padding=0, dilation=1)", TORCH),
        "conv_transpose2d_gemm": (
            "(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1)",
            BOTH,
        ),
    },
    "ps10-gpu": {
        "best_device_torch": ("()", TORCH),
        "best_device_tf": ("()", TF),
        "conv_transpose2d_any_device": ("(x, w, stride=1, padding=0)", BOTH),
        "max_unpool2d_triton": ("(x, indices, output_hw)", TORCH),
        "conv_transpose1d_triton": ("(x, w, stride)", BOTH),
    },
}
