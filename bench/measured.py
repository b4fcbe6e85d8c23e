"""Runs a command and writes its time and memory: `measured.py RESULT COMMAND…`.

Node only reports the end of a child; `wait4` reports the processor time of the child and its awaited children, and the
memory of the largest of these processes.
"""

import json
import os
import sys
import time

result, *command = sys.argv[1:]
started = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(pid, 0)
ended = time.perf_counter()
unit = 1 if sys.platform == "darwin" else 1024
with open(result, "w") as file:
    json.dump(
        {
            "ms": (ended - started) * 1000,
            "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
            "peakBytes": usage.ru_maxrss * unit,
        },
        file,
    )
sys.exit(os.waitstatus_to_exitcode(status))
