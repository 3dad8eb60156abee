# Copyright: Hostseal contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The tasks of a play, as far as they are known before it runs. Loading and lookup are ansible-core's own."""

from __future__ import annotations

import os

from ansible.errors import AnsibleError
from ansible.playbook.block import Block
from ansible.playbook.handler import Handler
from ansible.playbook.helpers import load_list_of_blocks
from ansible.playbook.role_include import IncludeRole
from ansible.playbook.task_include import TaskInclude

# An include within an include, and so on: one that includes itself under a condition would never end.
DEPTH_LIMIT = 20
INCLUDE_LIMIT = 500


class Known:
    """One task; `dynamic` says that what it does is only known while the play runs."""

    def __init__(self, task, dynamic):
        self.task, self.dynamic = task, dynamic


def is_template(value):
    """Whether a value is, or may be, a Jinja template."""
    return isinstance(value, str) and any(mark in value for mark in ("{{", "{%", "{#"))


def known_tasks(play, loader, variable_manager):
    """Return the Known tasks and handlers of a play, in its order, with what it imports and literally includes."""
    reader = _Reader(play, loader, variable_manager)
    found = reader.read(play.compile(), 0)
    return found + reader.read(play.handlers + play.compile_roles_handlers(), 0)


class _Reader:
    def __init__(self, play, loader, variable_manager):
        self._play, self._loader, self._variables = play, loader, variable_manager
        self._includes = 0
        self._all = variable_manager.get_vars(play=play, include_hostvars=False)

    def read(self, entries, depth):
        found = []
        for entry in entries:
            if isinstance(entry, Block):
                found += self.read(entry.block + entry.rescue + entry.always, depth)
            elif not entry.implicit and self._runs(entry):
                found += self._task(entry, depth)
        return found

    def _runs(self, task):
        try:
            return task.evaluate_tags(self._play.only_tags, self._play.skip_tags, all_vars=self._all)
        except AnsibleError:
            return True  # its tags are a template that has no value yet

    def _task(self, task, depth):
        if not isinstance(task, TaskInclude):
            return [Known(task, dynamic=is_template(task.action))]
        if task.statically_loaded:
            return []
        self._includes += 1
        within = depth < DEPTH_LIMIT and self._includes <= INCLUDE_LIMIT
        inner = self._included(task) if within else None
        return [Known(task, dynamic=True)] if inner is None else self.read(inner, depth + 1)

    def _included(self, task):
        """Return the blocks of an include that names its file or role outright, None for any other."""
        if any(is_template(value) for key, value in task.args.items() if key != "apply"):
            return None
        copied = task.copy(exclude_parent=True)
        copied._parent = task._parent
        copied.args = {key: dict(value) if key == "apply" else value for key, value in task.args.items()}
        try:
            if isinstance(task, IncludeRole):
                blocks, handlers = copied.get_block_list(
                    play=self._play, variable_manager=self._variables, loader=self._loader
                )
                return blocks + handlers
            return self._file(copied, task)
        except (AnsibleError, OSError):
            return None  # what cannot be read cannot be judged

    def _file(self, copied, task):
        path = _path(task, self._loader)
        return load_list_of_blocks(
            self._loader.load_from_file(path, trusted_as_template=True) or [],
            play=self._play,
            parent_block=copied.build_parent_block(),
            role=task._role,
            use_handlers=isinstance(task, Handler),
            loader=self._loader,
            variable_manager=self._variables,
        )


def _path(task, loader):
    """Return where ansible-core would find the file of an include (IncludedFile.process_include_results)."""
    target = task.args["_raw_params"]
    folder = "handlers" if isinstance(task, Handler) else "tasks"
    for base in _bases(task):
        if task._role:
            role = task._role._role_path
            candidates = [
                loader.path_dwim_relative(role, folder, target, is_role=True),
                loader.path_dwim_relative(os.path.join(role, folder, base), folder, target, is_role=True),
            ]
        else:
            candidates = [loader.path_dwim_relative(loader.get_basedir(), base, target)]
        for candidate in candidates:
            if os.path.exists(candidate):
                return candidate
    if task._role:
        return loader.path_dwim_relative(task._role._role_path, folder, target, is_role=True)
    return loader.path_dwim(target)


def _bases(task):
    """Yield the folders of the includes around a task, the innermost first, each joined to those within it."""
    joined, parent = None, task._parent
    while parent is not None:
        if isinstance(parent, IncludeRole):
            folder = parent._role_path or ""
        elif isinstance(parent, TaskInclude):
            folder = os.path.dirname(parent.args.get("_raw_params") or "")
        else:
            parent = parent._parent
            continue
        joined = folder if joined is None or os.path.isabs(joined) else os.path.join(folder, joined)
        yield joined
        parent = parent._parent
