"""What the names of metrics and losses mean, in a sentence or two."""

MEANINGS = {
    "psnr": "Peak signal to noise ratio, in dB, at most 60: how small the mean squared error is. "
    "Higher is better.",
    "ssim": "Structural similarity, at most 1: how alike brightness, contrast and structure are in "
    "windows of 11 pixels. Higher is better.",
    "sharpness": "Sharpness difference, in dB, at most 60: how alike the gradients are. A blurred "
    "prediction scores low. Higher is better.",
    "generator": "What the generator minimizes, all its terms together. It moves up and down with "
    "its opponent: it need not fall while pictures get better.",
    "discriminator": "How badly the discriminator tells real from generated. Near 0 for long: it "
    "has won, and the generator learns nothing more.",
    "image_discriminator": "How badly the discriminator of single frames tells real from "
    "generated. Near 0 for long: it has won.",
    "video_discriminator": "How badly the discriminator of clips tells real from generated. Near "
    "0 for long: it has won.",
    "critic": "What the critic minimizes: wasserstein and penalty. It falls at first, then rises "
    "towards 0 as clips get better.",
    "wasserstein": "What generated clips score minus what real ones do: an estimate of their "
    "distance, negative. Towards 0 is better.",
    "penalty": "How far the critic's gradient is from length 1, weighted.",
    "real": "The discriminator's loss on real clips.",
    "generated": "The discriminator's loss on generated clips.",
    "l2": "The size of the critic's weights, weighted.",
    "adv": "What the generator loses to the discriminator.",
    "adv_image": "What the generator loses to the discriminator of single frames.",
    "adv_video": "What the generator loses to the discriminators of motion.",
    "lp": "The mean p-th power of the pixels' error. Low by itself means blurred.",
    "gdl": "Gradient difference loss: how unlike the edges are.",
    "features": "Feature matching: how differently the discriminators see real and made.",
    "perceptual": "How differently a network trained on photographs sees real and made.",
    "flow": "The made flow's error, where the reference flow can be trusted.",
    "warp": "The true past frame moved along the made flow, to the true frame.",
    "steady": "The made frame to the one before it, moved along the reference flow: flicker.",
    "mask": "How much is drawn anew where the past could be moved instead.",
    "category_real": "The error on the classes of real videos.",
    "category_generated": "The error on the classes that generated videos were meant to have.",
    "iteration": "The generator's turns so far: a step updates either side.",
    "steps_per_second": "How fast training goes. Higher is better.",
}


def meaning(name: str) -> str:
    """Return what a metric or loss means; an empty text where it is not known."""
    if name.startswith("norm_"):
        return f"The length of the gradient of {name[5:]}. Near 0: nothing is learned from it."
    return MEANINGS.get(name, "")
