"""CPU time of all processes of a deployment on this machine, by role."""

from __future__ import annotations

from collections import Counter

from ordermesh.cli.processes import ProcessStat, command_line, family, listeners, process_stat


def deployment_cpu(server: str) -> dict[str, float] | None:
    """CPU seconds by role of the processes behind HOST:PORT; None when they are not on this machine.

    The one that listens is an edge, its parent the supervisor, and that one's descendants are the deployment.
    """
    edges = listeners(int(server.rpartition(":")[2]))
    members: dict[int, ProcessStat] = {}
    for pid in edges:
        stat = process_stat(pid)
        if stat is not None:
            root = stat.parent if "up" in command_line(stat.parent) else pid
            members.update({member.pid: member for member in family(root)})
    if not members:
        return None
    seconds: Counter[str] = Counter()
    for member in members.values():
        seconds[role_of(command_line(member.pid))] += member.cpu_s  # type: ignore[assignment]  # a Counter of floats
    return dict(seconds)


def role_of(arguments: list[str]) -> str:
    """What a process of a deployment is: edge, owner, relay, nats, supervisor, or other."""
    if "--role" in arguments[:-1]:
        return arguments[arguments.index("--role") + 1]
    if arguments and arguments[0].endswith("nats-server"):
        return "nats"
    return "supervisor" if "up" in arguments else "other"
