"""Whisper's log-mel spectrogram in NumPy: for the peer that brings none, and for whisper.cpp's file."""

import numpy as np

SAMPLE_RATE = 16_000
FFT = 400
HOP = 160
WINDOW_SAMPLES = 30 * SAMPLE_RATE


def filters(bins):
    """Triangular filters on Slaney's mel scale, each of unit area: [bins, FFT / 2 + 1], float32."""
    frequencies = np.linspace(0, SAMPLE_RATE / 2, FFT // 2 + 1)
    corners = hertz(np.linspace(0, mels(SAMPLE_RATE / 2), bins + 2))
    slopes = corners[:, None] - frequencies[None, :]
    widths = np.diff(corners)[:, None]
    triangles = np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]))
    return (triangles * (2 / (corners[2:] - corners[:-2]))[:, None]).astype(np.float32)


def log_mel(samples, filter_bank):
    """The spectrogram of up to 30 s of samples, padded with silence: [bins, 3000], float32."""
    padded = np.zeros(WINDOW_SAMPLES + FFT, np.float32)
    padded[FFT // 2 : FFT // 2 + len(samples)] = samples[:WINDOW_SAMPLES]
    padded[: FFT // 2] = padded[FFT // 2 + 1 : FFT + 1][::-1]
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][: WINDOW_SAMPLES // HOP]
    hann = np.hanning(FFT + 1)[:-1].astype(np.float32)
    spectrum = np.fft.rfft(frames * hann, axis=1)
    power = spectrum.real.astype(np.float32) ** 2 + spectrum.imag.astype(np.float32) ** 2
    logarithm = np.log10(np.maximum(power @ filter_bank.T, 1e-10)).T
    return np.ascontiguousarray((np.maximum(logarithm, logarithm.max() - 8) + 4) / 4, np.float32)


def mels(frequency):
    """Slaney's mel scale, for frequencies of at least 1 kHz."""
    return 15 + 27 * np.log(frequency / 1_000) / np.log(6.4)


def hertz(mel):
    """The inverse of `mels` on the whole scale: linear below 1 kHz, logarithmic above."""
    return np.where(mel < 15, mel * 200 / 3, 1_000 * np.exp(np.log(6.4) / 27 * (mel - 15)))
