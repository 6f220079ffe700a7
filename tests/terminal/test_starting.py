# SPDX-License-Identifier: Apache-2.0
"""Starting: scripts, code, pipes, profiles, other shells, and what is wrong with each."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.terminal import ROOT, Terminal, coshell


def run(home, *arguments, text=None):
    """Run coshell without a terminal."""
    env = {name: value for name, value in {**os.environ, **home}.items() if value is not None}
    env["PYTHONPATH"] = str(ROOT)
    return subprocess.run(
        coshell(*arguments),
        input=text,
        capture_output=True,
        text=True,
        env=env,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("script", "status", "output"),
    [
        ("print(6 * 7)", 0, "42\n"),
        ("import sys; print(sys.argv[1:]); sys.exit(3)", 3, "['a', '-b']\n"),
        ("raise SystemExit('no good')", 1, ""),
        ("1 / 0", 1, ""),
        ("from pkg_resources import require; require('cothread==1.6'); print('on')", 0, "on\n"),
        (
            "from cothread import *\nn = []\nSpawn(lambda: n.append(1))\nSleep(0.01)\nprint(n)",
            0,
            "[1]\n",
        ),
        ("import os; print(__name__, os.path.basename(__file__))", 0, "__main__ script.py\n"),
    ],
)
def test_a_script(home, tmp_path, script, status, output):
    path = tmp_path / "script.py"
    path.write_text(script)
    ended = run(home, str(path), "a", "-b")
    assert (ended.returncode, ended.stdout) == (status, output), ended.stderr
    if "1 / 0" in script:
        assert "ZeroDivisionError" in ended.stderr
        assert "runpy" not in ended.stderr


def test_a_script_that_is_not_there(home):
    ended = run(home, "no/such/file.py")
    assert ended.returncode == 2
    assert ended.stderr == "coshell: can't open file 'no/such/file.py': no such file\n"


def test_what_is_no_script_is_one_line(home, tmp_path):
    ended = run(home, str(tmp_path))
    assert ended.returncode == 2
    assert ended.stderr.endswith(": a directory without __main__.py\n")
    (tmp_path / "bad.ipy").write_bytes(b"print('\xe9')")
    ended = run(home, str(tmp_path / "bad.ipy"))
    assert ended.returncode == 2
    assert ended.stderr.endswith("bad.ipy': it is not UTF-8\n")


def test_a_command_where_nobody_types(home):
    ended = run(home, "-c", "!echo one; echo two >&2")
    assert (ended.stdout, ended.stderr) == ("one\n", "two\n")


@pytest.mark.parametrize(
    ("code", "status"), [("print(6 * 7)", 0), ("print(42); 1 / 0", 1), ("print(42); exit(5)", 5)]
)
@pytest.mark.parametrize("piped", [False, True])
def test_code_from_the_command_line_or_a_pipe(home, code, status, piped):
    if "exit(5)" in code:
        code = "import sys; print(42); sys.exit(5)"
    ended = run(home, text=code) if piped else run(home, "-c", code)
    assert ended.returncode == status, ended.stderr
    assert ended.stdout == "42\n"
    if status != 1:
        assert ended.stderr == ""
    else:
        assert ended.stderr.startswith("Traceback (most recent call last):\n")
        assert ended.stderr.endswith("\nZeroDivisionError: division by zero\n")
        assert ended.stderr.count("File") == 1, "only the operator's own"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise KeyboardInterrupt", "KeyboardInterrupt\n"),
        ("1 +", "SyntaxError: invalid syntax"),
        ("str?", "Init signature: str("),
        ("caget = 1", "caget was coshell's"),
        ("Spawn(lambda: 1 / 0); sleep(0.01)", "in <lambda>\n"),
        ("%gui tk", "coshell runs Qt beside the prompt, not tk"),
    ],
)
def test_no_colours_go_to_what_is_no_terminal(home, code, said):
    startup = Path(home["IPYTHONDIR"]) / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "10-bad.py").write_text("1 / 0\n")
    ended = run(home, "-c", code)
    assert said in ended.stdout + ended.stderr
    assert "10-bad.py: ZeroDivisionError: division by zero" in ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr


def test_panels_and_curves_have_no_colours_where_there_is_no_terminal(home):
    pytest.importorskip("epicscorelibs")
    code = "%camonitor DEMO:GAUGE-03\n%caplot --for 0.1 DEMO:CURRENT\nprint(chr(27) + 'own')"
    ended = run(home, "--demo", "-c", code)
    assert "DEMO:GAUGE-03" in ended.stdout
    assert "┤" in ended.stdout
    assert ended.stdout.count("\x1b") == 1, "only what the program itself prints"


def test_no_color_is_honoured(start):
    shell = start("--no-banner", env={"NO_COLOR": "1"})
    shell.wait_prompt(1)
    shell.line("job = Spawn(lambda: (print('said' + ' by a job'), 1 / 0))")
    shell.wait_for("[1] said by a job", "✗ job 1 (<lambda>): ZeroDivisionError")
    shell.line("def f(x): return [x] * 2 + 'no such'")
    shell.key("enter")
    shell.wait_prompt(3)
    shell.line("f(1)")
    shell.wait_for("✗ TypeError")
    shell.line("1 +* 'one'")
    shell.wait_for("SyntaxError")
    shell.wait_prompt(5)
    assert shell.colours == {"default"}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--no-baner", "there is no option --no-baner; did you mean --no-banner? "),
        ("--xyzzy=3", "there is no option --xyzzy; "),
        ("-q", "there is no option -q; "),
    ],
)
def test_an_unknown_option_is_one_line(home, option, said):
    ended = run(home, option)
    assert ended.returncode == 2
    assert ended.stderr == f"coshell: {said}--help and --ipython-help list them\n"
    assert ended.stdout == ""


@pytest.mark.parametrize("option", ["--TerminalInteractiveShell.confirm_exit=False", "--no-tip"])
def test_the_options_of_ipython_are_known(home, option):
    assert run(home, option, "-c", "print(42)").stdout == "42\n"


def test_a_script_and_then_a_prompt(start, tmp_path):
    path = tmp_path / "script.py"
    path.write_text("import sys\nkept = sys.argv\nprint('ran')")
    shell = start("--no-banner", "-i", str(path), "one")
    shell.wait_for("ran")
    shell.wait_match(r"^In \[\d\]: *$")
    shell.line("kept[1:]")
    shell.wait_for("['one']")


def test_a_profile_of_the_site(start, tmp_path):
    profile = tmp_path / "site" / "ring"
    (profile / "startup").mkdir(parents=True)
    (profile / "startup" / "10-good.py").write_text("from_profile = caget.__name__ * 2")
    (profile / "startup" / "20-bad.py").write_text("1 / 0")
    (profile / "startup" / "30-good.py").write_text("after_bad = 'here'")
    (profile / "ipython_config.py").write_text("get_config().TerminalInteractiveShell.x = (")
    shell = start("--no-banner", "--profile", "ring", env={"COSHELL_PROFILES": str(profile.parent)})
    shell.wait_prompt(1)
    shown = "".join(shell.history)
    assert "ipython_config.py was not used" in shown
    assert "✗ start-up file" in shown
    assert "ZeroDivisionError" in shown
    shell.line("from_profile, after_bad")
    shell.wait_for("('cagetcaget', 'here')")


def test_profiles_that_there_are(home):
    ended = run(home, "--profile", "list")
    assert {line.split()[0] for line in ended.stdout.splitlines()} >= {"demo", "expert", "operator"}
    ended = run(home, "--profile", "nosuch")
    assert ended.returncode == 2
    assert "there is no profile 'nosuch'; there are: " in ended.stderr


def test_embedded_in_a_program(start, home, tmp_path):
    path = tmp_path / "program.py"
    path.write_text(
        "import coshell\ndef f():\n  x = 42\n  coshell.embed()\n  print('went', 'on')\nf()"
    )
    terminal = Terminal([sys.executable, str(path)], env={**home, "PYTHONPATH": str(ROOT)})
    try:
        terminal.wait_prompt(1)
        terminal.line("x")
        terminal.wait_for("Out[1]: 42")
        terminal.send("%jobs --h")
        terminal.key("tab")
        terminal.wait_match(r"^In \[2\]: %jobs --help$")
        terminal.key("enter")
        terminal.wait_prompt(3)
        terminal.line("exit")
        terminal.wait_for("went on")
        assert terminal.wait_end() == 0
    finally:
        terminal.close()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_a_session_is_left_and_returned_to(home, tmp_path):
    name = f"test-{uuid.uuid4().hex[:8]}"
    env = {**home, "TMUX_TMPDIR": str(tmp_path), "TMUX": None}
    first = Terminal(coshell("--session", name, "--no-banner"), env=env)
    try:
        first.wait_match(r"^In \[1\]:")
        first.line("kept = 6 * 7")
        first.wait_match(r"^In \[2\]:")
        first.send("\x02d")
        assert first.wait_end() == 0
    finally:
        first.close()
    second = Terminal(coshell("--session", name), env=env)
    try:
        second.wait_match(r"^In \[2\]:")
        second.line("kept")
        second.wait_for("Out[2]: 42")
        second.line("exit")
        assert second.wait_end() == 0
    finally:
        second.close()


@pytest.mark.parametrize("term", ["dumb", "linux", "vt100"])
def test_other_terminals(start, term):
    shell = start("--no-banner", env={"TERM": term})
    shell.wait_prompt(1)
    shell.line("job = Spawn(lambda: (Sleep(0.2), print('from the', 'background'))); 6 * 7")
    shell.wait_for("42", "from the background")
    shell.line("exit")
    assert shell.wait_end() == 0


def test_leaving_is_declined_on_a_terminal_that_cannot_be_painted_on(start):
    shell = start("--no-banner", env={"TERM": "dumb"})
    shell.wait_prompt(1)
    for number in (1, 2):
        shell.key("ctrl-d")
        shell.wait_until(
            lambda number=number: shell.text.count("really want to exit") == number, "the question"
        )
        shell.line("n")
        shell.line("6 * 7")
        shell.wait_for(f"Out[{number}]: 42")
    assert shell.text.count("really want to exit") == 2
    assert "held everything" not in shell.text
    shell.key("ctrl-d")
    shell.line("y")
    assert shell.wait_end() == 0


def test_a_terminal_that_does_not_tell_its_cursor(start):
    shell = start("--no-banner", position_reports=False)
    shell.wait_prompt(1)
    shell.line("job = Spawn(Sleep, 1000)")
    shell.wait_prompt(2)
    shell.wait_for("1 job")
    shell.send("typed")
    shell.wait_for("In [2]: typed")
    assert shell.row("1 job") > shell.row("In [2]: typed")
    assert "WARNING" not in "\n".join(shell.history)


def test_errors_to_a_file_keep_the_prompt(start, tmp_path):
    with (tmp_path / "errors").open("wb") as errors:
        shell = start("--no-banner", stderr=errors)
        shell.wait_prompt(1)
        shell.line("import sys; sys.stderr.write('to the' + ' file\\n'); 6 * 7")
        shell.wait_for("42")
        shell.line("job = Spawn(Sleep, 1000)")
        shell.wait_for("1 job")
        assert "to the file" not in shell.text
    assert "to the file" in (tmp_path / "errors").read_text()


def test_a_resize_while_typing(shell):
    shell.line("job = Spawn(Sleep, 1000)")
    shell.wait_for("1 job")
    shell.send("typed")
    for columns, rows in ((60, 15), (100, 30), (40, 10), (80, 24)):
        shell.resize(columns, rows)
        shell.wait_until(
            lambda rows=rows: shell.lines[rows - 1].startswith(" 1 job"),
            "the dock is at the bottom",
        )
        shell.wait_match(r"^In \[3\]: typed$")


def test_a_history_that_is_locked_is_left_alone(start, home):
    profile = Path(home["IPYTHONDIR"]) / "profile_default"
    profile.mkdir(parents=True)
    with closing(sqlite3.connect(profile / "history.sqlite")) as base:
        base.execute("CREATE TABLE somebody (s TEXT)")
        base.execute("BEGIN EXCLUSIVE")
        shell = start("--no-banner")
        shell.wait_prompt(1)
        shell.line("6 * 7")
        shell.wait_for("is locked: this session keeps no", "Out[1]: 42")
        shell.line("exit")
        assert shell.wait_end() == 0
        base.rollback()
        assert base.execute("SELECT name FROM sqlite_master").fetchone() == ("somebody",)


def test_a_home_that_cannot_be_written_is_one_line(start, tmp_path):
    (tmp_path / "file").touch()
    shell = start("--no-banner", env={"IPYTHONDIR": str(tmp_path / "file")})
    shell.wait_prompt(1)
    shell.line("6 * 7")
    shell.wait_for("is not a writable location", "Out[1]: 42")
    assert "warn(" not in shell.text


def test_a_terminal_without_utf_8(start):
    shell = start(env={"PYTHONIOENCODING": "ascii"})
    shell.wait_prompt(1)
    shell.line("1 / 0")
    shell.wait_for("? ZeroDivisionError: division by zero ? %why 1")
    shell.wait_prompt(2)
    shell.line("len('日本')")
    shell.wait_for("Out[2]: 2")


def test_what_fails_at_the_start_is_one_line_each(start, home):
    profile = Path(home["IPYTHONDIR"]) / "profile_default"
    (profile / "startup").mkdir(parents=True)
    (profile / "startup" / "10-bad.py").write_text("import no_such_module\n")
    (profile / "startup" / "15-bad.py").write_text("import sys; sys.exit(3)\n")
    (profile / "startup" / "20-good.py").write_text("good = 42\n")
    (profile / "ipython_config.py").write_text("c = get_config(\n")
    shell = start("--no-banner", "--logfile=/no/such/log", columns=240)
    shell.wait_prompt(1)
    shell.line("good")
    shell.wait_for("Out[1]: 42")
    shell.wait_match(r"ERROR \| .*/ipython_config.py: SyntaxError: '\(' was never closed")
    shell.wait_match(r"^✗ start-up file .*/10-bad.py: ModuleNotFoundError: .* · %why 1$")
    shell.wait_match(r"^✗ start-up file .*/15-bad.py: SystemExit: 3 · %why 2$")
    shell.wait_match(r"^UserWarning: Couldn't start log: .* '/no/such/log' \(logging.py:\d+\)$")
    assert "Traceback" not in shell.text


def test_a_shell_in_the_shell(start):
    shell = start("--no-banner")
    shell.wait_prompt(1)
    shell.line("import sys, coshell; coshell.embed()")
    shell.wait_for("✗ RuntimeError: coshell.embed() inside coshell")
    shell.line("!{sys.executable} -m coshell --no-banner")
    shell.wait_match(r"(?s)In \[2\]:.*^In \[1\]:$")
    shell.line("6 * 7")
    shell.wait_for("Out[1]: 42")
    shell.line("exit")
    shell.wait_prompt(3)


def test_when_it_is_ended_the_terminal_is_given_back(start):
    shell = start("--no-banner")
    shell.wait_prompt(1)
    os.kill(shell.process.pid, signal.SIGTERM)
    assert shell.wait_end() == -signal.SIGTERM
    assert shell.modes() == shell.first_modes
