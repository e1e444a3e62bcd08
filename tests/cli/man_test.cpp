#include "cli/man.h"

#include "tests/catch.h"
#include "tests/cli/program.h"

using namespace tenkai;
using tenkai::test::Program;

TEST_CASE("a manual page has what help has, escaped for troff") {
  Program program;
  ShownCommand shown = shown_command(program.app);

  std::string page = man_page(shown.commands[0], shown, "0.1.0", "2026-11-30");

  CHECK(page == R"(.TH TENKAI-SHOW 1 "2026-11-30" "tenkai 0.1.0"
.SH NAME
tenkai\-show \- Show a profile, [all] of it
.SH SYNOPSIS
\fBtenkai show\fR [OPTIONS] NAME
.SH DESCRIPTION
One paragraph of two lines.
.PP
\&.Another one.
.SH OPTIONS
.TP
\fINAME\fR
Which one (required)
.TP
\fB\-h\fR, \fB\-\-help\fR
Print this help message and exit
.TP
\fB\-\-json\fR
As JSON
.TP
\fB\-\-color\fR \fBauto\fR|\fBnever\fR
It\(aqs coloured: or not
.TP
\fB\-\-wait\fR \fISECONDS\fR
How long (1 to 60; 7 if not given; also by TENKAI_WAIT)
.SH EXAMPLES
.nf
.RS 4
tenkai show gpu
.RE
.fi
.SH EXIT STATUS
.TP
\fB0\fR
it is shown, all of it
.TP
\fB2\fR
it is not
.SH SEE ALSO
\fBtenkai\fR(1),
\fBtenkai\-run\fR(1),
\fBtenkai\-profile\fR(1)
)");
}

TEST_CASE("the page of the program names the others, that of a command describes those below it") {
  Program program;
  ShownCommand shown = shown_command(program.app);

  std::string whole = man_page(shown, shown, "0.1.0", "");
  std::string group = man_page(shown.commands[2], shown, "0.1.0", "");

  CHECK(whole.find(".TP\n\\fBtenkai\\-show\\fR(1)\nShow a profile") != whole.npos);
  CHECK(whole.find("secret") == whole.npos);
  CHECK(group.find(".SS tenkai profile list [OPTIONS]\nPrint them.\n") != group.npos);
  // What all have is said once.
  CHECK(group.find("\\-\\-help") == group.rfind("\\-\\-help"));
}
