# SPDX-License-Identifier: Apache-2.0
"""p4p's client and server for cothread, judged by p4p's own tests."""

import re


def test_p4ps_own_tests_of_its_cothread_modules_pass(run_with_packages):
    output = run_with_packages("-m", "unittest", "-v", "p4p.test.test_cothread")
    ran = re.search(r"^Ran (\d+) tests", output, re.MULTILINE)
    assert ran, output
    assert int(ran[1]) >= 7
    assert "skipped" not in output


def test_many_gets_puts_and_monitors_at_once(run_with_packages):
    output = run_with_packages("-c", SCRIPT)
    assert output.splitlines()[-1] == "ok", output


SCRIPT = """
import cothread
from p4p.client.cothread import Context
from p4p.nt import NTScalar
from p4p.server import Server, StaticProvider
from p4p.server.cothread import SharedPV

class Handler:
    def put(self, pv, op):
        cothread.Sleep(0.001)
        pv.post(op.value())
        op.done()

provider = StaticProvider("test")
pvs = {f"pv{number}": SharedPV(nt=NTScalar("i"), initial=number, handler=Handler())
       for number in range(20)}
for name, pv in pvs.items():
    provider.add(name, pv)
with Server(providers=[provider], isolate=True) as server:
    with Context("pva", conf=server.conf(), useenv=False) as context:
        names = list(pvs)
        assert [int(value) for value in context.get(names)] == list(range(20))
        updates = cothread.EventQueue()
        with context.monitor("pv3", updates.Signal):
            assert updates.Wait(10) == 3
            context.put(names, [number * 2 for number in range(20)])
            assert updates.Wait(10) == 6
        assert [int(value) for value in context.get(names)] == list(range(0, 40, 2))
        try:
            context.get("missing", timeout=0.1)
        except TimeoutError:
            print("ok")
"""
