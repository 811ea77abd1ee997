# SPDX-License-Identifier: MIT
"""The shell and the console, as a person at the keyboard meets them."""

import re

from quire import build, test


@test(quick=True)
def commands_quotes_and_status(t):
    m = t.boot()
    for command, output, status in (
            ("echo hello   world", "hello world", 0),
            ("echo 'a  b' \"c  d\" e\\ f", "a  b c  d e f", 0),
            ("echo \"$?\" '$?' $?", "0 $? 0", 0),
            ("echo a; echo b", "a\nb", 0),
            ("echo a # the rest is a comment", "a", 0),
            ("# nothing but a comment", "", 0),
            ("(echo a; echo b) | wc", None, 0),
            ("echo '|' ';' '&' '<' '>' '(' '#'", "| ; & < > ( #", 0),
            ("echo a|cat|cat|cat|cat|cat", "a", 0),
            ("cat <README | grep '^nothing at all is like this'", "", 1),
            ("sh -c 'exit 7'", "", 7),
            ("sh -c 'exit 3' | sh -c 'exit 4'", "", 4),
            ("(exit 5)", "", 5),
            ("   echo   leading blanks", "leading blanks", 0),
            ("echo a >/f; echo b >>/f; cat /f; rm /f", "a\nb", 0),
            ("cat < /no-file", None, 1),
            ("echo x > /no-dir/f", None, 1)):
        t.runs(m, command, output, status)
    said, status = m.run("no-such-command")
    t.has(said, "no-such-command: name too long")
    said, status = m.run("no-such-cmd")
    t.has(said, "no-such-cmd: .*(no such file|not found)")
    t.true(status not in (0, -1), f"an unknown command ended with {status}")
    t.shut_down(m)


@test(quick=True)
def lines_that_upset_other_shells(t):
    m = t.boot()
    for blank in ("", "   ", "\t", ";", "# x"):
        m.send(blank)
        said = m.prompt()
        if blank != ";":
            t.lacks(said, "fail|exec|error|fork")
    for bad in ("|", "echo |", "| echo", "(", ")", "echo )", "echo >", "echo 'a", "echo \"a", "&", "; ;", "a ||| b"):
        m.send(bad)
        m.prompt()
    t.runs(m, "  cd  /")
    t.runs(m, "mkdir a b")
    t.runs(m, " cd a")
    t.runs(m, "echo x > y; ls", None)
    t.has(m.run("ls")[0], r"\by\b")
    t.runs(m, "cd ..; rm a/y a b")
    t.has(m.run("cd /README")[0], "not a directory")
    t.has(m.run("cd /nowhere")[0], "no such file")
    t.runs(m, "ls console", None)
    t.has(m.run("ls console")[0], "console")
    t.runs(m, "echo alive", "alive")
    t.shut_down(m)


@test(quick=True)
def scripts_run_line_by_line(t):
    m = t.boot()
    m.run("echo 'echo one # two' > s")
    m.run("echo 'cd /' >> s")
    m.run("echo 'echo $1 $2' >> s")
    m.run("echo 'exit 9' >> s")
    m.run("echo 'echo never' >> s")
    t.runs(m, "sh s x y", "one\nx y", 9)
    t.runs(m, "cat s | sh", None, 9)
    t.has(m.run("sh no-script")[0], "no-script.*no such file")
    t.shut_down(m)


@test(quick=True)
def errors_say_why(t):
    m = t.boot()
    for command, why in (("cat nothing", "nothing.*no such file"), ("mkdir README", "exists"),
                         ("rm nothing", "no such file"), ("cat README/x", "not a directory"),
                         ("ln nothing x", "no such file"), ("rm /", ""), ("kill 31999", "no such process"),
                         ("echo x > a-name-of-15-ch", "name.*long|too long")):
        said, status = m.run(command)
        t.true(status != 0, f"{command!r} ended with 0")
        t.has(said.lower(), why)
    t.shut_down(m)


@test(quick=True)
def options_that_are_not_there_are_refused(t):
    m = t.boot()
    for command in ("ls -l", "ls -l README", "cat -n README", "wc -l README", "mkdir -p a/b", "rm -x README",
                    "grep -x a README", "kill -x", "swapon -x", "ln -s README x"):
        said, status = m.run(command)
        t.true(status != 0, f"{command!r} ended with 0")
        t.has(said, "-x: not a process number" if command == "kill -x" else "^usage: ")
        t.equal(said.count("\n"), 0, f"the lines of {command!r}, less one")
    t.runs(m, "mkdir ./-d; echo x > -d/f; cat ./-d/f; rm -r ./-d", "x")
    t.lacks(m.run("ls")[0], r"^(a|-\w|x) ")
    t.shut_down(m)


@test(quick=True)
def rm_takes_trees_away(t):
    """Deeper than a process may have files open; and it says why it could not."""
    m = t.boot()
    m.run("echo '" + "mkdir d; echo x > d/f; cd d; " * 4 + "' > four")
    m.run("echo '" + "cat four; " * 10 + "' > ten")
    m.run("sh ten > forty; sh forty")
    deepest = "d/" * 40 + "f"
    t.runs(m, f"cat {deepest}", "x")
    t.runs(m, "rm -r d", "")
    t.has(m.run("ls d")[0], "no such file")
    t.runs(m, "mkdir e e/a e/b; echo x > e/a/f; rm -rf e nothing", "")
    t.has(m.run("ls e")[0], "no such file")
    for command, why in (("rm nothing", "nothing: no such file"), ("rm -r nothing", "nothing: no such file"),
                         ("mkdir e e/f; rm e", "e: directory not empty"), ("rm -r README/x", "not a directory"),
                         ("rm -r .", ".: invalid"), ("rm -x e", "^usage: rm"), ("rm -f", "^usage: rm")):
        said, status = m.run(command)
        t.true(status != 0, f"{command!r} ended with 0")
        t.has(said, why)
    t.shut_down(m)


@test()
def control_p_while_programs_print(t):
    """The list comes from the port's interrupt, and the port has no room then."""
    m = t.boot(build=build("debug", "CI=true", "DEBUG=1", "-j2"), cpus=3)
    t.runs(m, "cat README README README README > a; cat a a a a > b; cat b b b b > a; rm b")
    m.send("cat a & cat a a a; echo all is said")
    m.expect(r"MIT; see")
    for _ in range(20):
        m.type("\x10")
        m.expect(r"\binit\b")
    t.lacks(m.console, "^all is said")  # else there was room
    m.expect(r"^all is said\n", 60)
    t.runs(m, "echo alive", "alive")
    t.lacks(m.console, "PANIC")
    t.shut_down(m)


@test(quick=True)
def control_c_ends_what_runs_and_not_the_shell(t):
    m = t.boot()
    for command in ("sleep 1000", "cat", "sh -c 'sleep 1000'", "cat | cat | cat", "(sleep 999; sleep 999)",
                    "sh -c 'while'; sleep 1000"):
        m.send(command)
        m.expect(re.escape(command) + r"\n")
        m.interrupt()
        t.runs(m, "echo alive", "alive")
    m.type("echo half a line")
    m.expect("half a line")
    m.type("\x03")
    m.prompt()
    t.runs(m, "echo alive", "alive")
    t.shut_down(m)


@test(quick=True)
def control_c_ends_a_program_that_only_computes(t):
    m = t.boot()
    m.send("usertests -q")
    m.expect(r"\n.*\n")
    m.interrupt()
    t.runs(m, "echo alive", "alive")


@test(quick=True)
def control_d_is_the_end_of_input(t):
    m = t.boot()
    m.send("cat")
    m.expect("cat\n")
    m.send("some text")
    m.expect("some text\nsome text\n")
    m.type("\x04")
    m.prompt()
    m.type("\x04")  # the shell ends, and init starts another
    m.expect(r"^\$ \Z")
    t.runs(m, "echo alive", "alive")
    t.shut_down(m)


@test(quick=True)
def the_line_can_be_edited(t):
    m = t.boot()
    left, right, home, end, up, down = "\x1b[D", "\x1b[C", "\x1b[H", "\x1b[F", "\x1b[A", "\x1b[B"
    for keys, output in (
            ("echo abd" + left + "c", "abcd"),
            ("ho abc" + home + "ec", "abc"),
            ("ho abc\x01ec" + end + "d", "abcd"),
            ("ho abc\x01ec\x05d", "abcd"),
            ("echo abcd\x7f\x7f", "ab"),
            ("echo abcd\x08", "abc"),
            ("nonsense\x15echo killed", "killed"),
            ("echo abc def" + left * 3 + "\x0b", "abc"),
            ("echo abc def\x17ghi", "abc ghi"),
            ("echo ab" + left * 3 + right + "x", "xab"),
            ("echo one" + left * 50 + right * 50 + "two", "onetwo")):
        m.type(keys + "\n")
        m.expect(r"^" + output + r"\n\$ \Z", 10)
    t.runs(m, "echo first", "first")
    t.runs(m, "echo second", "second")
    for key, line in ((up, "echo =\\$\\?="), (up, "echo second"), (up, "echo ="), (up, "echo first"),
                      (down, "echo ="), (down, "echo second")):
        m.type(key)
        m.expect(line)
    m.type("\x7f!\n")
    m.expect(r"^secon!\n\$ \Z")
    t.runs(m, "echo alive", "alive")
    t.shut_down(m)


@test(quick=True)
def background_jobs_leave_the_prompt_free(t):
    m = t.boot(cpus=2)
    m.send("sleep 1000 &")
    pid = t.has(m.prompt(), r"^\[(\d+)\]$").group(1)
    t.runs(m, "echo free", "free")
    t.runs(m, f"kill {pid}")
    m.run("wait")
    t.lacks(m.run("ps")[0], " sleep$")
    t.shut_down(m)


@test(quick=True)
def a_wrong_word_keeps_kill_from_killing(t):
    """The one built into the shell, and the program."""
    m = t.boot(cpus=2)
    m.send("sleep 1000 &")
    pid = t.has(m.prompt(), r"^\[(\d+)\]$").group(1)
    for command in (f"kill -9 {pid}", f"kill {pid} x", f"/kill -9 {pid}", f"/kill {pid} 0", f"kill -g {pid} -1"):
        said, status = m.run(command)
        t.equal(status, 1, f"the status of {command!r}")
        t.has(said, "kill: (-9|x|0|-1): (not a process number|invalid argument)")
        t.has(m.run("ps")[0], rf"^ *{pid} .* (sleep|sh)$")
    t.runs(m, f"/kill {pid}", None)
    m.run("wait")
    t.lacks(m.run("ps")[0], " sleep$")
    t.shut_down(m)


@test(quick=True)
def control_p_lists_processes(t):
    m = t.boot()
    m.type("\x10")
    m.expect(r"\binit\b")
    m.expect(r"\bsh\b")
    m.type("\n")
    m.prompt()
    t.shut_down(m)


@test(quick=True)
def long_and_strange_input_does_no_harm(t):
    m = t.boot()
    m.type("x" * 3000 + "\n")
    m.expect(r"\a" * 2000, 20)
    m.type("\x15\n")
    m.prompt()
    m.type("".join(chr(c) for c in range(128, 256)) + "\x15\n")
    m.prompt()
    m.type("\x1b[999999999999X\x1b[\x1b\x1b[1;5D\x15\n")
    m.prompt()
    t.runs(m, "echo alive", "alive")
    t.shut_down(m)


@test(quick=True)
def a_line_that_is_too_long_is_not_run(t):
    """The bell rings for what finds no room, and the line can be made shorter."""
    m = t.boot()
    m.send("echo " + "a" * 300)
    m.expect(r"echo a{247}\a{54}\Z")
    m.send("\x08b")
    m.expect(r"^a{246}b\n\$ \Z")
    m.send("echo " + "a" * 300)
    m.expect(r"\a{54}\Z")
    m.type("\x04\x15echo short\n")
    m.expect(r"^short\n\$ \Z")
    t.shut_down(m)


@test(quick=True)
def what_is_typed_too_far_ahead_rings(t):
    """Lines come whole, from the first on; what is lost was not echoed."""
    m = t.boot()
    m.send("sleep 2")
    m.expect(r"sleep 2\n")
    m.type("".join(f"echo line {i} >> lines\n" for i in range(100)))
    m.expect(r"\a{500}", 20)
    m.expect("echo line 40 >> lines\n", 20)  # there is room again
    m.type("\n")
    m.expect("\a")  # for the line whose end was lost
    m.send("\x15echo the end")
    m.expect(r"(^|\$ )the end\n\$ \Z", 20)
    said = t.runs(m, "cat lines").split("\n")
    t.equal(said, [f"line {i}" for i in range(len(said))])
    t.true(30 <= len(said) < 100, f"{len(said)} lines were taken")
    t.shut_down(m)


@test(quick=True)
def typing_ahead_is_not_lost(t):
    m = t.boot()
    m.type("".join(f"echo line {i} >> lines\n" for i in range(30)) + "echo the end\n")
    m.expect(r"(^|\$ )the end\n\$ \Z")
    t.runs(m, "cat lines", "\n".join(f"line {i}" for i in range(30)))
    t.shut_down(m)
