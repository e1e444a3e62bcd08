#include "launcher/doctor/check.h"

#include <optional>
#include <string>
#include <vector>

#include "launcher/doctor/question.h"
#include "tests/catch.h"

using namespace tenkai::doctor;

namespace {

const Checks mixed = {ok("r", "Rscript", "R 4.2.2"), warning("r.start", "Rscript", "is slow", "look there"),
                      wrong("slurm.partition", "gpuu", "is not there", "say gpu"),
                      skipped("address.firewall", "firewall", "cannot be known")};

}  // namespace

TEST_CASE("each check is a line, with what mends it below") {
  CHECK(lines_of(mixed, false) ==
        "ok       r                 Rscript: R 4.2.2\n"
        "warning  r.start           Rscript: is slow\n"
        "                           mend: look there\n"
        "wrong    slurm.partition   gpuu: is not there\n"
        "                           mend: say gpu\n"
        "skipped  address.firewall  firewall: cannot be known\n"
        "4 checks: 1 wrong, 1 warning; 1 could not be known\n");
}

TEST_CASE("only what is wrong changes the exit code") {
  CHECK(exit_code_of(mixed) == 1);
  CHECK(exit_code_of({mixed[0], mixed[1], mixed[3]}) == 0);
  CHECK(exit_code_of({}) == 0);
  CHECK(lines_of({mixed[0]}, false).ends_with("1 check: nothing is wrong\n"));
}

TEST_CASE("what a program wrote does not steer the terminal") {
  Checks hostile = {wrong("r", "a\x1b[2J", "b\nok  all", "c\t")};

  std::string text = lines_of(hostile, false);
  CHECK(text.find('\x1b') == text.npos);
  CHECK(text.find("\nok") == text.npos);
  CHECK(lines_of(hostile, true).find("\x1b[1;31mwrong") == 0);
  CHECK(rows_of(hostile) == "r\ta\\x1b[2J\twrong\tb\\nok  all\tc\\t\n");
  CHECK(json_of(hostile).find("\"wrong\":1,\"warnings\":0}") != text.npos);
}

TEST_CASE("commands are asked at once, each as long as it may take") {
  using namespace std::chrono_literals;
  Question quick{{"sh", "-c", "echo out; echo err >&2; exit 3"}};
  Question silent{{"sh", "-c", "exec sleep 900"}};
  silent.limit = 50ms;
  Question missing{{"/no/such/program"}};
  Question no_program{{"/etc/passwd"}};
  Question two{{"echo", "one"}};
  two.next = [](const Answer& answer) { return std::optional(Question{{"echo", "after " + answer.output}}); };

  std::vector<Answer> answers = ask_all({quick, silent, missing, two, no_program});

  REQUIRE(answers.size() == 5);
  CHECK(answers[0].output == "out\n");
  CHECK(trouble_of(answers[0], 1s) == "ends with exit code 3 (err)");
  CHECK(trouble_of(answers[1], 50ms) == "gives no answer within 0.05 s");
  CHECK(trouble_of(answers[2], 1s) == "is not found");
  CHECK(trouble_of(answers[4], 1s) == "cannot be started (Permission denied)");
  CHECK_FALSE(answers[4].is_good());
  CHECK(answers[3].output == "after one\n\n");
  CHECK(answers[3].is_good());
  CHECK(ask_all({}).empty());
}
