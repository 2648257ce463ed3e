"""Generators in PyTorch, built here from their published descriptions, with random weights."""

import pickle
import struct
import types
from collections import OrderedDict

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn


def randomized(network, seed=0):
    """Give all weights and running statistics values that matter; return the network, in eval."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in network.state_dict().items():
        if value.dtype.is_floating_point:
            drawn = torch.randn(value.shape, generator=generator)
            if value.dim() > 1:  # a kernel: keeps the size of what goes through
                drawn *= (2.0 / (value.numel() / value.shape[0])) ** 0.5
            if name.endswith("running_var") or (name.endswith("weight") and value.dim() == 1):
                drawn = 1 + 0.2 * drawn.abs()
            elif value.dim() == 1:
                drawn *= 0.3
            value.copy_(drawn)
    return network.eval()


class VideoGenerator(nn.Module):
    """MoCoGAN's: a GRU cell for the motion, DCGAN for frames (Tulyakov et al. 2018, sec. 3)."""

    def __init__(self, size=64, channels=3, content=5, categories=3, motion=4, width=2, frames=16):
        super().__init__()
        self.n_channels, self.video_length = channels, frames
        self.dim_z_content, self.dim_z_category, self.dim_z_motion = content, categories, motion
        self.recurrent = nn.GRUCell(motion, motion)
        smallest, doublings = (6, 4) if size == 96 else (4, {32: 3, 64: 4, 128: 5}[size])
        width <<= doublings - 1
        code = content + categories + motion
        layers = [nn.ConvTranspose2d(code, width, smallest, 1, 0, bias=False)]
        for _ in range(doublings - 1):
            layers += [nn.BatchNorm2d(width), nn.ReLU(True)]
            layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False)]
            width //= 2
        layers += [nn.BatchNorm2d(width), nn.ReLU(True)]
        layers += [nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def video(self, content, category, hidden, noise):
        """Return frames (T, batch, H, W, C) from noise (T, batch, motion)."""
        frames = []
        for moment in noise:
            hidden = self.recurrent(moment, hidden)
            code = torch.cat([content, category, hidden], dim=1)
            frames.append(self.main(code[:, :, None, None]))
        return torch.stack(frames).permute(0, 1, 3, 4, 2)


class PatchImageDiscriminator(nn.Module):
    """MoCoGAN's judge of frames: its first layer is noise, its second a convolution."""

    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Identity(), nn.Conv2d(3, 2, 4, 2, 1, bias=False))


# ---- Files as old versions wrote them -----------------------------------------------------------


class _Python2Pickler(pickle._Pickler):
    """Writes strings as Python 2 did, and tensors and parameters as PyTorch 0.3 did."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_python2_string(self, text):
        data = text.encode("latin-1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(data)) + data)
        self.memoize(text)

    dispatch[str] = save_python2_string

    def reducer_override(self, value):
        if isinstance(value, nn.Parameter):
            return nn.Parameter, (value.data,), (True, False, OrderedDict())
        if isinstance(value, torch.Tensor):
            storage = value._typed_storage()
            place = value.storage_offset(), tuple(value.size()), value.stride()
            return torch._utils._rebuild_tensor, (storage, *place)
        return NotImplemented


def save(network, path, form):
    """Save in a form: zip, chain (before PyTorch 1.6), python2, state (dict) or parallel (dict)."""
    if form in ("state", "parallel"):
        prefix = "module." if form == "parallel" else ""
        named = {f"{prefix}{name}": value for name, value in network.state_dict().items()}
        torch.save(OrderedDict(named), path)
    elif form == "python2":
        module = types.SimpleNamespace(__name__="pickle", Pickler=_Python2Pickler, dump=pickle.dump)
        torch.save(network, path, pickle_module=module, _use_new_zipfile_serialization=False)
    else:
        torch.save(network, path, _use_new_zipfile_serialization=form == "zip")
    return path
