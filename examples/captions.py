#!/usr/bin/python3
"""Speech as closed captions in a picture: transcriberbin of gst-plugins-rs, with whispernpu as its transcriber.

    captions.py speech.wav [live]      writes the captions that are in the picture as SubRip

Needs python3-gi, and gst-plugins-rs' plugins rsclosedcaption and textwrap.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

CEA_708 = 1  # GstTranscriberBinMuxMethod: cea608mux comes with GStreamer 1.24 only.
WORD = 1  # GstWhisperNpuGranularity

SOURCES = """
    filesrc name=speech ! wavparse {audio_sync} ! audioconvert ! queue name=audio
    videotestsrc is-live={is_live} num-buffers=900 ! video/x-raw,width=320,height=240,framerate=30/1 ! queue name=video
"""
# None of the sinks may hold up the others before captions come.
SINKS = """
    fakesink name=audio async=false
    queue name=video ! ccextractor name=extractor ! fakesink async=false
    extractor.caption ! ccconverter ! closedcaption/x-cea-608,format=raw ! cea608tott ! srtenc ! fdsink async=false
"""


def main(speech, is_live):
    Gst.init(None)
    # transcriberbin does not start without awstranscriber, even if it is told to use another one.
    if Gst.ElementFactory.find("awstranscriber") is None:
        factory = Gst.ElementFactory.find("whispernpu").load()
        Gst.Element.register(None, "awstranscriber", Gst.Rank.NONE, factory.get_element_type())

    captions = Gst.ElementFactory.make_with_properties("transcriberbin", ["mux-method", "latency"], [CEA_708, 4000])
    captions.set_property("cc-caps", Gst.Caps.from_string("closedcaption/x-cea-708,format=cc_data"))
    transcriber = Gst.ElementFactory.make("whispernpu")
    transcriber.set_property("granularity", WORD)
    captions.get_static_pad("sink_audio").set_property("transcriber", transcriber)

    audio_sync = "! clocksync" if is_live else ""
    sources = Gst.parse_bin_from_description(SOURCES.format(audio_sync=audio_sync, is_live=is_live), False)
    sources.get_by_name("speech").set_property("location", speech)
    sinks = Gst.parse_bin_from_description(SINKS, False)
    pipeline = Gst.Pipeline()
    for part in (sources, captions, sinks):
        pipeline.add(part)
    for kind in ("audio", "video"):
        expose(sources, kind, "src").link(captions.get_static_pad(f"sink_{kind}"))
        captions.get_static_pad(f"src_{kind}").link(expose(sinks, kind, "sink"))

    pipeline.set_state(Gst.State.PLAYING)
    kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
    end = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, kinds)
    pipeline.set_state(Gst.State.NULL)
    return str(end.parse_error()) if end.type == Gst.MessageType.ERROR else 0


def expose(part, kind, direction):
    pad = Gst.GhostPad.new(kind, part.get_by_name(kind).get_static_pad(direction))
    part.add_pad(pad)
    return pad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], len(sys.argv) > 2))
