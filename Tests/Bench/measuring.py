"""What figures are made of, and what they are held against."""

import os
import pathlib
import resource

# The hub as it is when nobody says otherwise; the C responder gets as many processes and threads.
WORKERS, LANES = max(2, os.cpu_count()), 64


def children(pid):
    """The processes that a process has started."""
    return list(map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def processor_seconds(processes):
    """What these processes, and every tool so far, have used of the processors."""
    ticks = 0
    for pid in processes:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ticks / os.sysconf("SC_CLK_TCK") + ended.ru_utime + ended.ru_stime


def hold(goals):
    """Prints each goal, (name, value, relation, bound), and tells whether all are reached."""
    print()
    held = True
    for name, value, relation, bound in goals:
        good = value >= bound if relation == ">=" else value < bound
        held = held and good
        print(f"{name:28}{value:>10,.2f}  {relation} {bound}  {'holds' if good else 'DOES NOT HOLD'}")
    return held
