"""Generators in PyTorch, built here from their published descriptions, with random weights."""

import pickle
import struct
import sys
import types
from collections import OrderedDict
from typing import ClassVar

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


class _Backend:
    """What every module of PyTorch 0.x held, pickled as the call of a function."""

    def __reduce__(self):
        return sys.modules[_THNN]._get_thnn_function_backend, ()


_THNN = "torch.nn.backends.thnn"


def _thnn():
    """Return the module of that function, which today's PyTorch has no more."""

    def _get_thnn_function_backend():
        raise AssertionError("nothing is called")

    module = types.ModuleType(_THNN)
    module._get_thnn_function_backend = _get_thnn_function_backend
    _get_thnn_function_backend.__module__ = _THNN
    _get_thnn_function_backend.__qualname__ = "_get_thnn_function_backend"
    return module


class _Python2Pickler(pickle._Pickler):
    """Writes strings as Python 2 did, and tensors and parameters as PyTorch 0.3 did."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

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
        for part in network.modules():
            part._backend = _Backend()
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, _THNN, _thnn())
            torch.save(network, path, pickle_module=module, _use_new_zipfile_serialization=False)
    else:
        torch.save(network, path, _use_new_zipfile_serialization=form == "zip")
    return path


# ---- vid2vid ------------------------------------------------------------------------------------


def _norm(kind, maps):
    if kind == "batch":
        return nn.BatchNorm2d(maps)
    return nn.InstanceNorm2d(maps, affine=False, track_running_stats=True)


class _Residual(nn.Module):
    def __init__(self, maps, norm):
        super().__init__()
        once = lambda: [nn.ReflectionPad2d(1), nn.Conv2d(maps, maps, 3), _norm(norm, maps)]  # noqa: E731
        self.conv_block = nn.Sequential(*once(), nn.ReLU(), *once())

    def forward(self, x):
        return x + self.conv_block(x)


class CoarseGenerator(nn.Module):
    """vid2vid's at the coarsest scale: labels and past frames to image, flow and mask (sec. 3)."""

    def __init__(
        self,
        labels=4,
        past=2,
        channels=3,
        width=4,
        down=2,
        blocks=5,
        norm="batch",
        foreground=False,
    ):
        super().__init__()
        self.channels, self.foreground = channels, foreground
        top = width << down
        self.model_down_seg = self._encoder((past + 1) * labels, width, down, norm)
        self.model_down_img = self._encoder(past * channels, width, down, norm)
        before = blocks - blocks // 2
        for stack in (self.model_down_seg, self.model_down_img):
            stack.extend(_Residual(top, norm) for _ in range(before))
        for name, heads in (("img", {"img": channels}), ("flow", {"flow": 2, "w": 1})):
            residual = [_Residual(top, norm) for _ in range(blocks // 2)]
            setattr(self, f"model_res_{name}", nn.Sequential(*residual))
            setattr(self, f"model_up_{name}", self._decoder(width, down, norm))
            for head, maps in heads.items():
                last = {"img": [nn.Tanh()], "flow": [], "w": [nn.Sigmoid()]}[head]
                setattr(self, f"model_final_{head}", self._head(width, maps, last))
        if foreground:
            small = width // 2 if down > 2 else width
            self.indv_down = self._encoder((past + 1) * labels, small, down, norm)
            residual = [_Residual(small << down, norm) for _ in range(blocks)]
            self.indv_res = nn.Sequential(*residual)
            self.indv_up = self._decoder(small, down, norm)
            self.indv_final = self._head(small, channels, [nn.Tanh()])

    def _encoder(self, maps, width, down, norm):
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(maps, width, 7), _norm(norm, width), nn.ReLU()]
        for step in range(down):
            here = width << step
            layers += [nn.Conv2d(here, 2 * here, 3, 2, 1), _norm(norm, 2 * here), nn.ReLU()]
        return nn.Sequential(*layers)

    def _decoder(self, width, down, norm):
        layers = []
        for step in reversed(range(down)):
            here = width << step
            up = nn.ConvTranspose2d(2 * here, here, 3, 2, 1, output_padding=1)
            layers += [up, _norm(norm, here), nn.ReLU()]
        return nn.Sequential(*layers)

    def _head(self, width, maps, last):
        return nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(width, maps, 7), *last)

    def features(self, labels, past):
        """Return what the heads draw from: of image, motion and foreground (or None)."""
        x = self.model_down_seg(labels) + self.model_down_img(past)
        image = self.model_up_img(self.model_res_img(x))
        motion = self.model_up_flow(self.model_res_flow(x))
        own = self.indv_up(self.indv_res(self.indv_down(labels))) if self.foreground else None
        return image, motion, own

    def forward(self, labels, past, foreground=None):
        """Return the frame, the raw image, the flow in pixels and the mask, channels first.

        labels (batch, (past + 1) * classes, H, W); past (batch, past * channels, H, W); foreground
        (batch, 1, H, W), where that is drawn.
        """
        return _composed(self, self.features(labels, past), past, foreground, 20)


def _composed(net, features, past, foreground, scale):
    """Return frame, raw image, flow of up to `scale` pixels and mask of a generator's features."""
    image, motion, own = features
    raw = net.model_final_img(image)
    flow, mask = scale * net.model_final_flow(motion), net.model_final_w(motion)
    height, width = past.shape[2:]
    rows, columns = torch.meshgrid(
        torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32),
        indexing="ij",
    )  # fmt: skip
    places = [2 * (columns + flow[:, 0]) / (width - 1) - 1,
              2 * (rows + flow[:, 1]) / (height - 1) - 1]  # fmt: skip
    warped = nn.functional.grid_sample(
        past[:, -raw.shape[1] :], torch.stack(places, dim=-1), padding_mode="border",
        align_corners=True,
    )  # fmt: skip
    frame = mask * raw + (1 - mask) * warped
    if own is not None:
        drawn = net.indv_final(own)
        frame = foreground * drawn + (1 - foreground) * frame
        raw = foreground * drawn + (1 - foreground) * raw
    return frame, raw, flow, mask


class FineGenerator(CoarseGenerator):
    """vid2vid's at the next finer scale: adds to the features of the one below."""

    def __init__(self, labels=4, past=2, channels=3, width=2, blocks=2, norm="batch",
                 foreground=False):  # fmt: skip
        nn.Module.__init__(self)
        self.foreground = foreground
        self.model_down_seg = self._encoder((past + 1) * labels, width, 1, norm)
        self.model_down_img = self._encoder(past * channels, width, 1, norm)
        residual = lambda: [_Residual(2 * width, norm) for _ in range(blocks)]  # noqa: E731
        for name, heads in (("img", {"img": channels}), ("flow", {"flow": 2, "w": 1})):
            up = nn.Sequential(*residual(), *self._decoder(width, 1, norm))
            setattr(self, f"model_up_{name}", up)
            for head, maps in heads.items():
                last = {"img": [nn.Tanh()], "flow": [], "w": [nn.Sigmoid()]}[head]
                setattr(self, f"model_final_{head}", self._head(width, maps, last))
        if foreground:
            self.indv_down = self._encoder((past + 1) * labels, width, 1, norm)
            self.indv_up = nn.Sequential(*residual(), *self._decoder(width, 1, norm))
            self.indv_final = self._head(width, channels, [nn.Tanh()])

    def forward(self, labels, past, below, foreground=None):
        """Return frame, raw, flow and mask; `below` are the coarser scale's features."""
        seen = self.model_down_seg(labels) + self.model_down_img(past)
        image, motion = self.model_up_img(seen + below[0]), self.model_up_flow(seen + below[1])
        own = self.indv_up(self.indv_down(labels) + below[2]) if self.foreground else None
        return _composed(self, (image, motion, own), past, foreground, 40)
