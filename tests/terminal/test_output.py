# SPDX-License-Identifier: Apache-2.0
"""Output from everywhere: whole lines above the prompt, whatever writes them."""

from __future__ import annotations

import signal
import time

import psutil
import pytest

from tests.support.terminal import PATIENCE_S

FLOOD = (
    'exec(\'def flood(n):\\n for i in range(n):\\n  print(f"flood{i:05}")\\n'
    "  if i % 25 == 24: Sleep(0.005)')"
)


def test_a_flood_of_lines_does_no_damage(shell):
    shell.line(FLOOD)
    shell.wait_prompt(3)
    shell.line("job = Spawn(flood, 5000)")
    shell.wait_for("[1] flood0")
    for character in "typed while it floods":
        shell.send(character)
        shell.look(0.02)
    shell.wait_for("[1] flood04999", "In [4]: typed while it floods")
    lines = [line for line in shell.history if "flood0" in line]
    assert lines == [f"[1] flood{i:05}" for i in range(5000)]


def test_everything_a_job_writes_is_tagged_and_tame(shell):
    written = {
        "(print('par', end=''), Sleep(0.1), print('tial'))": "[1] partial",
        "print('no end', end='')": "[2] no end",
        "__import__('logging').warning('log' + 'ged')": "[3] WARNING:root:logged",
        "__import__('warnings').warn('war' + 'ned')": "UserWarning: warned",
        "print('red\\x1b[31m and\\x1b[2J\\x1b[Hsafe')": "[5] red andsafe",
        "__import__('sys').stdout.buffer.write(b'by' + b'tes\\n')": "[6] bytes",
        "print('10%\\r20%\\rdone')": "[7] done",
    }
    for prompt, (job, shown) in enumerate(written.items(), 3):
        shell.line(f"job = Spawn(lambda: (Sleep(0.3), {job}))")
        shell.wait_prompt(prompt)
        typed = f"In [{prompt}]: typed"
        shell.send("typed")
        shell.wait_for(shown, typed)
        assert shell.row(shown) < shell.row(typed)
        shell.key("ctrl-c")
        shell.wait_gone(typed)


def test_a_very_long_line_is_one_without_an_empty_one_after_it(shell):
    shell.line("job = Spawn(lambda: (print('x' * 100_000), print('a' + 'fter')))")
    shell.wait_for("[1] after")
    shell.line("[len(line) for line in jobs[1].output]")
    shell.wait_for("Out[3]: [100000, 5]")


def test_other_threads_write_whole_lines_too(shell):
    shell.line("import threading, time")
    shell.wait_prompt(3)
    shell.line(
        "t = threading.Thread(target=lambda: [(time.sleep(0.1), print('thread', i)) "
        "for i in range(5)]); t.start()"
    )
    shell.wait_prompt(4)
    shell.send("typed")
    shell.wait_for("thread 4", "In [4]: typed")
    assert [line for line in shell.history if line.startswith("thread")] == [
        f"thread {i}" for i in range(5)
    ]


def test_a_panel_or_field_that_raises_harms_only_itself(shell):
    shell.line("class Bad: title = 'bad'; render = lambda *a: 1 / 0")
    shell.wait_prompt(3)
    shell.line("class Good: title = 'good'; render = lambda *a: ['good rows']")
    shell.wait_prompt(4)
    shell.line("d = get_ipython().dock; d.add(Bad()); d.add(Good())")
    shell.wait_prompt(5)
    shell.line("d.status_fields.append(lambda: 1 / 0)")
    shell.wait_for("bad: rendering error", "good rows", "rendering error", "%why")
    shell.wait_prompt(6)
    shell.line("%why 1")
    shell.wait_for("ZeroDivisionError")
    assert sum("✗ panel 'bad'" in line for line in shell.history) == 1


def test_a_failing_asyncio_task_is_a_numbered_line(shell):
    shell.line("import asyncio")
    shell.wait_prompt(3)
    shell.line("async def bad(): await asyncio.sleep(0.05); 1 / 0")
    shell.wait_prompt(4)
    shell.line("asyncio.create_task(bad()); await asyncio.sleep(0)")
    shell.wait_for("✗ asyncio task: ZeroDivisionError")


def test_what_c_libraries_write_to_descriptor_2_is_whole_lines(shell):
    shell.line("import os, subprocess")
    shell.wait_prompt(3)
    shell.line(
        "job = Spawn(lambda: (Sleep(0.2), os.write(2, b'from'+b' C\\nun'), os.write(2, b'ended')))"
    )
    shell.wait_prompt(4)
    shell.send("typed")
    shell.wait_for("[stderr] from C", "[stderr] unended", "In [4]: typed")
    assert shell.row("[stderr] unended") < shell.row("In [4]: typed")
    shell.key("ctrl-c")
    shell.wait_gone("typed")
    # More than anybody reads meanwhile: the writer must not wait for itself.
    shell.line("os.write(2, b'x' * 3_000_000) < 3_000_000")
    shell.wait_prompt(5)
    shell.line("%clear")
    shell.wait_prompt(6)
    shell.line("!test -t 2 && echo a terminal")
    shell.wait_match("^a terminal$")
    shell.wait_prompt(7)


def test_a_crash_still_tells_where_it_was(shell):
    shell.line("import ctypes; ctypes.string_at(0)")
    assert shell.wait_end() < 0
    assert "Segmentation fault" in "".join(shell.history)
    assert "in string_at" in "".join(shell.history)


def test_the_last_words_of_a_c_library_are_shown(shell):
    shell.line("import ctypes, os; libc = ctypes.CDLL(None)")
    shell.wait_prompt(3)
    helpers = psutil.Process(shell.process.pid).children()
    assert helpers
    shell.line("os.write(2, b'as'b'sertion failed: x > 0\\n'), libc.abort()")
    assert shell.wait_end() == -signal.SIGABRT
    _, alive = psutil.wait_procs(helpers, PATIENCE_S)
    assert not alive, "nothing is left behind"
    shown = "\n".join(shell.history)
    assert "assertion failed: x > 0" in shown
    assert "Fatal Python error: Aborted" in shown


def test_jobs_go_on_before_a_terminal_that_does_not_read(shell, tmp_path):
    beats = tmp_path / "beats"
    shell.line(f"def beat(): open({str(beats)!r}, 'a').write('.'); print('x' * 70); Sleep(0.001)")
    shell.key("enter")
    shell.wait_prompt(3)
    shell.line("job = Spawn(lambda: [beat() for i in range(2000)])")
    # No look at the screen until it has written several times what a terminal holds.
    deadline = time.monotonic() + PATIENCE_S
    while not beats.exists() or beats.stat().st_size < 2000:
        assert time.monotonic() < deadline, "the job stands still"
        time.sleep(0.05)
    shell.send("'typed'")
    shell.wait_for("In [4]: 'typed'")
    shell.line("; job.Wait(); print('no' + 'more')")
    shell.wait_for("nomore")
    shell.wait_until(lambda: sum("[1] xxx" in line for line in shell.history) == 2000, "all lines")


def test_what_ends_a_thread_or_cannot_be_caught_is_one_line(shell):
    shell.line("from threading import Thread; Thread(target=divmod, args=(1, 0), name='x').start()")
    shell.wait_match("^✗ thread x: ZeroDivisionError: .*by zero · %why 1$")
    shell.wait_prompt(3)
    shell.line("Thread(target=input, name='asker').start()")
    shell.wait_for("✗ thread asker: RuntimeError: input() in a thread: the keyboard belongs")
    shell.wait_prompt(4)
    shell.line("exec('class A:\\n def __del__(self): 1 / 0'); A() and None")
    shell.wait_match(r"✗ ignored .*<function A.__del__ at 0x[^:]*:\s+ZeroDivisionError")
    shell.wait_prompt(5)
    assert "Traceback" not in shell.text
    shell.line("%why 1")
    shell.wait_for("Traceback (most recent call last)")


@pytest.mark.parametrize("cell", ["", "Sleep(1000)"])
def test_no_line_is_lost_and_no_dock_left_behind_when_the_window_changes(shell, cell):
    shell.line(
        "class P: title = 'p'; render = lambda s, w, h, n: [f'row {i}' for i in range(5)][:h]"
    )
    shell.wait_prompt(3)
    shell.line("get_ipython().dock.add(P())")
    shell.wait_for("row 4")
    shell.line("exec('def lines():\\n for i in range(10**6): print(i); Sleep(0.01)')")
    shell.wait_prompt(5)
    shell.line("job = Spawn(lines)")
    shell.wait_for("[1] 2")
    shell.send(cell)
    if cell:
        shell.key("enter")
    for columns, rows in ((100, 30), (40, 10), (80, 24), (40, 10), (60, 15), (79, 23), (80, 24)):
        shell.resize(columns, rows)
        shell.wait_until(
            lambda rows=rows: shell.lines[rows - 1].startswith(" 1 job"),
            "the dock is at the bottom",
        )
        before = shell.received
        shell.wait_until(lambda before=before: shell.received > before + 2000, "more lines")
    shown = shell.history
    assert not any(line.startswith("row") for line in shown[:-6])
    numbers = [int(line.removeprefix("[1] ")) for line in shown if line.startswith("[1] ")]
    assert numbers == list(range(len(numbers)))
