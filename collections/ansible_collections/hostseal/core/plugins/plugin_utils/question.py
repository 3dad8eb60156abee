# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The input of hostseal/play/decision, built from a loaded play. The one source of it: the gate and `hostseal play check`
both ask with what is made here (policies/schemas/play/decision.json)."""

from __future__ import annotations

import json
import os

from ansible_collections.hostseal.core.plugins.plugin_utils.tasks import is_template, known_tasks

# Variables that ansible-core itself gives every play.
_GIVEN = {"ansible_role_names", "ansible_dependent_role_names"}
_SETTING_MODULES = {"ansible.builtin.set_fact", "ansible.builtin.add_host"}
_TEXT_LIMIT = 1000


def question(play, hosts, loader, variable_manager, requested_by):
    """Return the input about one play.

    `hosts` are the inventory names that it targets, `requested_by` is {"user", "controller"}. Nothing is templated:
    what a name will be while the play runs is not known here.
    """
    known = known_tasks(play, loader, variable_manager)
    tasks = [_task(one, loader.get_basedir()) for one in known]
    return {
        "play": {
            "name": _text(play.get_name()),
            "file": _place(play.get_path(), loader.get_basedir())[0],
            "check": play.check_mode is True,
            "tags": {
                "run": sorted(str(tag) for tag in play.only_tags),
                "skip": sorted(str(tag) for tag in play.skip_tags),
            },
            "hosts": [str(host) for host in hosts],
            "sets": sorted(_sets(play, known, variable_manager)),
            "tasks": list({json.dumps(task): task for task in tasks}.values()),
        },
        "requested_by": requested_by,
    }


def _task(one, base):
    task = one.task
    role, collection = _role(task, base)
    file, line = _place(task.get_path(), base)
    return {
        "name": _text(task.name or ""),
        "module": _module(task),
        "role": role,
        "collection": collection,
        "file": file,
        "line": line,
        "kind": "handler" if type(task).__name__.startswith("Handler") else "task",
        "check": task.check_mode is True,
        "dynamic": one.dynamic,
        "target": _target(task.delegate_to),
    }


def _module(task):
    """Return the full name that a task's action resolves to; one that the author put beside the playbook stays short."""
    return None if is_template(task.action) else _text(task.resolved_action or task.action)


def _target(delegate_to):
    if delegate_to is None:
        return {"kind": "play", "host": None}
    if is_template(delegate_to):
        return {"kind": "unknown", "host": None}
    return {"kind": "host", "host": str(delegate_to)}


def _role(task, base):
    """Return a task's role and its collection; a collection that lies beside the playbook proves nothing."""
    if task._role is None:
        return None, None
    name, full = task._role.get_name(include_role_fqcn=False), task._role.get_name(include_role_fqcn=True)
    beside = task._role.get_role_path().startswith(os.path.realpath(base) + os.sep)
    collection = None if beside or full == name else full[: -len(name) - 1]
    return _text(name), collection


def _place(path, base):
    if not path:
        return None, None
    file, _, line = str(path).rpartition(":")
    inside = os.path.relpath(file, base)
    return _text(file if inside.startswith(os.pardir) else inside), int(line) if line.isdigit() else None


def _sets(play, known, variable_manager):
    """Return the names of Ansible's own variables that the play, or who started it, sets."""
    names = set(variable_manager.get_vars(play=play, include_hostvars=False))
    names -= set(variable_manager.get_vars(include_hostvars=False))
    names |= set(variable_manager.extra_vars)
    for one in known:
        names |= set(one.task.get_vars())
        if _module(one.task) in _SETTING_MODULES:
            names |= set(one.task.args)
    return {
        _text(name)
        for name in names
        if str(name).startswith("ansible_") and not str(name).startswith("ansible_play_") and name not in _GIVEN
    }


def _text(value):
    return str(value)[:_TEXT_LIMIT]
