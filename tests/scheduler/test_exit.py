# SPDX-License-Identifier: Apache-2.0
"""The end of the interpreter: never a hang, and cleanup runs."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import pytest


def run(program: str, **kargs: object) -> subprocess.CompletedProcess[str]:
    """Run a program in an interpreter of its own, bounded in time."""
    return subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **kargs,  # type: ignore[call-overload]
    )


def test_finally_blocks_of_suspended_cothreads_run() -> None:
    """Ending the main program cancels what is left."""
    done = run("""
        from cothread import *
        def wait():
            try:
                Sleep(None)
            finally:
                print("cleaned up")
        Spawn(wait)
        Yield()
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "cleaned up\n", "")


def test_a_cothread_that_will_not_end_does_not_hang_the_exit() -> None:
    """Cleanup that refuses to finish is abandoned."""
    done = run("""
        from cothread import *
        import cothread
        def stubborn():
            while True:
                try:
                    Sleep(None)
                except cothread.Cancelled:
                    pass
        Spawn(stubborn)
        Yield()
        print("end of main")
    """)
    assert (done.returncode, done.stdout) == (0, "end of main\n")


def test_exit_inside_a_cothread_is_reported_and_the_program_lives_on() -> None:
    """`sys.exit` ends the cothread only."""
    done = run("""
        import sys
        from cothread import *
        Spawn(sys.exit, 3).Wait()
        print("alive")
    """)
    assert (done.returncode, done.stdout) == (0, "alive\n")
    assert "SystemExit: 3" in done.stderr


def test_importing_starts_nothing() -> None:
    """No descriptor, thread or signal handler before the first suspension."""
    done = run("""
        import os, signal, threading
        before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
        import cothread
        after = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
        assert before == after, (before, after)
        assert threading.active_count() == 1
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        print(cothread.cothreads())
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_the_child_of_a_fork_starts_with_an_empty_scheduler() -> None:
    """The parent's cothreads do not run twice, and the child's cleanup does not touch them."""
    done = run("""
        import os, sys
        from cothread import *
        import cothread
        def tick():
            try:
                for _ in range(3):
                    print("tick", os.getpid() == parent, flush=True)
                    Sleep(0.02)
            finally:
                print("end", os.getpid() == parent, flush=True)
        parent = os.getpid()
        task = Spawn(tick)
        Yield()
        child = os.fork()
        if not child:
            assert len(cothread.cothreads()) == 0
            Sleep(0.05)
            assert Spawn(lambda: 5).Wait() == 5
            sys.exit(0)
        task.Wait()
        print(os.waitpid(child, 0)[1])
    """)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["tick True"] * 3 + ["end True", "0"]


def test_multiprocessing_children_may_sleep() -> None:
    """A forked worker uses the scheduler on its own."""
    done = run("""
        import multiprocessing
        from cothread import *
        def work():
            Sleep(0.01)
            WaitForAll([Spawn(Sleep, 0.01) for _ in range(3)])
        Sleep(0.001)
        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        process.join()
        print(process.exitcode)
    """)
    assert (done.returncode, done.stdout) == (0, "0\n")


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="needs SIGINT")
def test_ctrl_c_ends_wait_for_quit() -> None:
    """`WaitForQuit` returns on Ctrl-C, and the program ends well."""
    done = run("""
        import os, signal
        from cothread import *
        Timer(0.01, lambda: os.kill(os.getpid(), signal.SIGINT))
        WaitForQuit()
        print("quit")
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "quit\n", "")


def test_ctrl_c_interrupts_the_main_program_and_no_other() -> None:
    """A hundred times over: the foreground is interrupted, the background never notices."""
    done = run("""
        import os, signal, time
        from cothread import *
        def background():
            while not stop:
                time.sleep(0.0002)
                Yield()
            return "untouched"
        stop = []
        task = Spawn(background, raise_on_wait=True)
        hits = 0
        for _ in range(100):
            Timer(0.001, lambda: os.kill(os.getpid(), signal.SIGINT))
            try:
                Sleep(20)
            except KeyboardInterrupt:
                hits += 1
        stop.append(True)
        print(hits, task.Wait())
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, "100 untouched\n", "")


def test_a_second_ctrl_c_breaks_a_hog() -> None:
    """The first one cannot be delivered, because a cothread never suspends."""
    done = run("""
        import os, signal, threading, time
        from cothread import *
        def hog():
            try:
                while True:
                    pass
            except KeyboardInterrupt:
                return "broken"
        def press():
            for _ in range(2):
                time.sleep(0.3)
                os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=press).start()
        task = Spawn(hog)
        try:
            task.Wait()
        except KeyboardInterrupt:
            print("main interrupted")
        print(task.Wait())
    """)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "broken"


def test_a_debugger_stops_in_a_cothread() -> None:
    """`breakpoint()` works there: it shows the cothread's own frame and goes on."""
    done = run(
        """
        from cothread import *
        def work():
            secret = 41
            breakpoint()
            return secret + 1
        print(Spawn(work).Wait())
        """,
        input="p secret\nc\n",
    )
    assert done.returncode == 0
    assert "41" in done.stdout
    assert done.stdout.endswith("42\n")


def test_faulthandler_and_profilers_see_cothreads() -> None:
    """A stack dump names the function that is running; a profile counts it."""
    done = run("""
        import cProfile, faulthandler, pstats, sys
        from cothread import *
        def visible():
            faulthandler.dump_traceback(sys.stderr)
            Yield()
        profile = cProfile.Profile()
        profile.enable()
        Spawn(visible).Wait()
        profile.disable()
        print("visible" in {name for _, _, name in pstats.Stats(profile).stats})
    """)
    assert (done.returncode, done.stdout) == (0, "True\n")
    assert "in visible" in done.stderr
