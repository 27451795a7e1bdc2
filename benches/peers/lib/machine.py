"""What the machine is, for a table's heading."""

import datetime
import os
import pathlib
import platform

# The instruction sets that the peers' kernels choose by.
INTERESTING = (
    "avx2",
    "fma",
    "f16c",
    "avx_vnni",
    "avx512f",
    "avx512bw",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_int8",
    "amx_bf16",
    "asimddp",
    "i8mm",
    "bf16",
    "sve",
)


def describe():
    """Lines of name and value."""
    memory = next((line for line in lines("/proc/meminfo") if line.startswith("MemTotal")), "MemTotal: 0 kB")
    return [
        ("processor", cpu_field("model name") or platform.processor() or platform.machine()),
        ("cores", f"{os.cpu_count()}, of which {len(os.sched_getaffinity(0))} may be used"),
        ("instruction sets", instruction_sets()),
        ("memory", f"{int(memory.split()[1]) / 1_048_576:.0f} GiB"),
        ("system", f"{distribution()}, Linux {platform.release()}"),
        ("Python", platform.python_version()),
        ("load average before", f"{os.getloadavg()[0]:.2f}"),
        ("date", datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")),
    ]


def instruction_sets():
    """Those of INTERESTING that the processor has."""
    flags = (cpu_field("flags") or cpu_field("Features") or "").split()
    return " ".join(name for name in INTERESTING if name in flags)


def processor_identity():
    """What a program that was built for this processor alone depends on."""
    return " ".join(
        [platform.machine(), cpu_field("model name") or "", cpu_field("flags") or cpu_field("Features") or ""]
    )


def distribution():
    """The distribution's name."""
    for line in lines("/etc/os-release"):
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def cpu_field(name):
    """A field of the first processor."""
    for line in lines("/proc/cpuinfo"):
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def lines(path):
    """A file's lines; none if it is not there."""
    try:
        return pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


class Watch:
    """How much of the processors others took while it was being measured."""

    def __init__(self):
        self.before = self.now()

    def now(self):
        """Seconds of all cores so far: passed, busy, stolen by the host, and used by children of this process."""
        fields = [int(field) / os.sysconf("SC_CLK_TCK") for field in lines("/proc/stat")[0].split()[1:9]]
        user, nice, system, idle, waiting, interrupt, soft_interrupt, stolen = fields
        busy = user + nice + system + interrupt + soft_interrupt
        children = os.times().children_user + os.times().children_system
        return busy + idle + waiting + stolen, busy, stolen, children

    def report(self):
        """The shares of all cores' time that went to other processes and to the host's other guests."""
        passed, busy, stolen, children = (now - before for now, before in zip(self.now(), self.before))
        return {
            "others_percent": round(100 * max(0, busy - children) / passed, 1),
            "stolen_percent": round(100 * stolen / passed, 1),
        }
