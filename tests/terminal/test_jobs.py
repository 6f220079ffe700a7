# SPDX-License-Identifier: Apache-2.0
"""Jobs: numbers, output, results, and bringing them to the foreground and back."""

from __future__ import annotations

from tests.support.terminal import ROOT, Terminal, coshell

TICK = (
    "exec('def tick(n=10**6):\\n for i in range(n): Sleep(0.05); print(f\"tick{i}\")\\n return n')"
)


def test_every_spawn_of_a_cell_is_a_job(shell):
    shell.line("a = Spawn(Sleep, 1000); b = Spawn(Sleep, 0.01); c = Spawn(lambda: 1 / 0); b.Wait()")
    shell.wait_prompt(3)
    shell.wait_for("✗ job 3 (<lambda>): ZeroDivisionError: division by zero")
    shell.line("%jobs")
    shell.wait_match(r"1 +Sleep +waiting .* Sleep, \d+ s left")
    shell.wait_match(r"2 +Sleep +done ")
    shell.wait_match(r"3 +<lambda> +failed .* ZeroDivisionError")
    shell.wait_prompt(4)
    shell.line("%jobs")
    shell.wait_prompt(5)
    shell.wait_until(
        lambda: sum("<lambda>" in line and "failed" in line for line in shell.lines) == 1,
        "ended jobs are shown once",
    )


def test_a_cell_in_the_background(shell):
    shell.line("%spawn (Sleep(0.1), 6 * 7)[1]")
    shell.wait_prompt(3)
    shell.line("jobs[1].join(); %result 1")
    shell.wait_for("SyntaxError")
    shell.line("jobs[1].join()")
    shell.wait_prompt(5)
    shell.line("%result 1")
    shell.wait_for("Out[5]: 42")


def test_a_cell_with_await_in_the_background(shell):
    shell.line("%%spawn --name later")
    for line in ("import asyncio", "await asyncio.sleep(0.1)", "kept = 'kept' + ' variable'"):
        shell.line(line)
    shell.line("kept")
    shell.key("enter", "enter")
    shell.wait_for("<Job 1 later:")
    shell.wait_prompt(3)
    shell.line("jobs[1].join(); kept")
    shell.wait_for("Out[3]: 'kept variable'")


def test_output_is_kept_and_the_last_lines_are_shown(shell):
    shell.line(TICK)
    shell.wait_prompt(3)
    shell.line("%spawn tick(5)")
    shell.wait_for("[1] tick4")
    shell.line("%out 1 -n 2")
    shell.wait_match(r"Out\[4\]:\ntick3\ntick4$")
    shell.line("%out 7")
    shell.wait_for("There is no job 7; those there are: 1")


def test_kill(shell):
    shell.line(TICK)
    shell.wait_prompt(3)
    shell.line("a = Spawn(tick); b = Spawn(tick)")
    shell.wait_for("[2] tick1")
    shell.line("%kill 1")
    shell.wait_prompt(5)
    shell.line("bool(a), bool(b)")
    shell.wait_for("Out[5]: (True, False)")
    shell.line("%kill all")
    shell.wait_prompt(7)
    shell.line("bool(b)")
    shell.wait_for("Out[7]: True")
    shell.line("%kill 1 x")
    shell.wait_for("takes the number of a job, not 'x'")


def test_to_the_foreground_and_back(shell):
    shell.line(TICK)
    shell.wait_prompt(3)
    shell.line("job = Spawn(tick)")
    shell.wait_for("[1] tick1")
    shell.line("%fg 1")
    shell.wait_for("Ctrl-Z leaves it")
    shell.wait_match(r"^tick\d+$")
    shell.key("ctrl-z")
    shell.wait_for("goes on in the background")
    shell.wait_prompt(5)
    shell.line("%fg")
    shell.wait_match(r"(?s)In \[5\]: %fg.*^tick\d+$")
    shell.key("ctrl-c")
    shell.wait_for("KeyboardInterrupt")
    shell.wait_prompt(6)
    assert sum("KeyboardInterrupt" in line for line in shell.history) == 1
    shell.line("bool(job), 'and here'")
    shell.wait_for("Out[6]: (True, 'and here')")


def test_the_result_of_a_job_in_the_foreground(shell):
    shell.line(TICK)
    shell.wait_prompt(3)
    shell.line("job = Spawn(tick, 30)")
    shell.wait_for("[1] tick1")
    shell.line("%fg 1")
    shell.wait_for("Out[4]: 30")


def test_jobs_that_cannot_be_shown_plainly(shell):
    shell.line("exec('class R:\\n def __repr__(self): 1 / 0')")
    shell.wait_prompt(3)
    shell.line("a = Spawn(Sleep, 1000); a.name = '[red]a[/red]\\x1b[2J\\nb'; c = Spawn(R)")
    shell.wait_prompt(4)
    shell.line("d = [Spawn(Sleep, 1000) for i in range(100)]")
    shell.wait_for("101 jobs")
    shell.line("%jobs [red] done")
    shell.wait_match(r"^1 +\[red\]a\[/red\]·\[2J b +waiting ")
    shell.wait_match(r"^2 +R +done .* <R instance at 0x\w+>")
    shell.line("%jobs")
    shell.wait_for("… and 61 more (61 waiting); %jobs WORD narrows it down")
    shell.line("%jobs no-such")
    shell.wait_for("no jobs like that")


def test_help_and_wrong_options(shell):
    for number, magic in enumerate(["jobs", "kill", "fg", "out", "result", "why", "spawn"]):
        shell.line(f"%{magic} -h")
        shell.wait_prompt(3 + number)
        shell.wait_for(f"usage: %{magic}", "examples:")
    shell.line("%kill --bogus")
    shell.wait_for("✗ %kill:", "%kill -h")
    assert "Traceback" not in "\n".join(shell.history)


def test_a_job_that_is_over_at_once_is_listed_and_a_failure_nobody_waits_for_is_told(shell):
    shell.line("Spawn(int); Spawn(lambda: 1 / 0, raise_on_wait=True); Sleep(0.1)")
    shell.wait_for("✗ job 2 (<lambda>): ZeroDivisionError")
    shell.wait_prompt(3)
    shell.line("%jobs")
    shell.wait_match(r"1 +int +done ")
    shell.wait_match(r"2 +<lambda> +failed ")


def test_suspending_the_shell_would_stop_its_jobs(start, home, tmp_path):
    (tmp_path / "ticks.py").write_text(
        "from cothread import Sleep, Spawn\nn = []\n"
        "def count():\n while True: Sleep(0.01); n.append(1)\n"
    )
    command = " ".join(coshell("--no-banner"))
    outer = Terminal(["bash", "--norc", "-i"], env={**home, "PS1": "outer> "}, cwd=ROOT)
    try:
        outer.wait_for("outer>")
        outer.line(f"PYTHONPATH={tmp_path} {command}")
        outer.wait_prompt(1)
        outer.line("import ticks; job = ticks.Spawn(ticks.count)")
        outer.wait_prompt(2)
        outer.send("typed")
        outer.wait_for("In [2]: typed")
        outer.key("ctrl-z")
        outer.wait_for("Ctrl-Z would stop 1 job as well", "In [2]: typed")
        outer.key("ctrl-z")
        outer.wait_match(r"Stopped[^\n]*\n(.*\n)*outer>$")
        outer.line("fg")
        outer.wait_match(r"^In \[2\]: typed$")
        outer.line(" = len(ticks.n); ticks.Sleep(0.2); len(ticks.n) > typed")
        outer.wait_for("Out[2]: True")
    finally:
        outer.close()


def test_what_a_job_prints_after_an_await_is_tagged(shell):
    shell.line("%spawn print('begun'); await __import__('asyncio').sleep(0.1); print('went', 'on')")
    shell.wait_match(r"(?s)^\[1\] begun$.*^\[1\] went on$")
    shell.line("%out 1")
    shell.wait_match(r"(?s)%out 1\n.*^begun\nwent on$")


def test_a_job_that_was_listed_can_still_be_asked_for(shell):
    shell.line("%spawn print('some', 'words') or 42")
    shell.wait_for("[1] some words")
    shell.line("%jobs")
    shell.wait_match(r"^1 .* done .* 42 +some wo")
    shell.line("%jobs")
    shell.wait_match(r"^Out\[4\]: no jobs$")
    shell.line("%result 1")
    shell.wait_for("Out[5]: 42")
    shell.line("%out 1")
    shell.wait_for("Out[6]: some words")
    shell.line("[job.kill() for job in jobs if job.number == 1], len(jobs)")
    shell.wait_for("Out[7]: ([False], 1)")
    shell.line("for i in range(30): Spawn(int)")
    shell.key("enter")
    shell.wait_prompt(9)
    shell.line("%jobs")
    shell.wait_match("^31 .* done")
    shell.line("%result 1")
    shell.wait_for("There is no job 1; those there are: ")
