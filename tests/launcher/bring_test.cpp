#include "launcher/bring/bring.h"

#include <string>
#include <vector>

#include "base/version.h"
#include "tests/catch.h"

using namespace tenkai;
using namespace tenkai::bring;

namespace {

const std::string own{program_version};

There bare() {
  return {"Linux x86_64", "4.2", "x86_64-pc-linux-gnu", "", "", "/home/anna/.cache/tenkai/" + own, {}};
}

Offers all() {
  return {"Linux x86_64", "/opt/bin/tenkai",     "/opt/R/tenkai",
          "4.2",          "x86_64-pc-linux-gnu", "/opt/share/tenkai/r"};
}

using Kinds = std::vector<Kind>;

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("what is missing is brought, and of the package what fits") {
  There there = bare();
  CHECK(*what_to_bring(there, all()) == Kinds{Kind::program, Kind::ready});

  SECTION("another R compiles") {
    there.r = "4.5";
    CHECK(*what_to_bring(there, all()) == Kinds{Kind::program, Kind::source});
  }
  SECTION("another platform compiles") {
    there.platform = "x86_64-alpine-linux-musl";
    CHECK(*what_to_bring(there, all()) == Kinds{Kind::program, Kind::source});
  }
  SECTION("the program is there") {
    there.program = own;
    CHECK(*what_to_bring(there, all()) == Kinds{Kind::ready});
  }
  SECTION("the package is there, so it was the program that was missed") {
    there.package = own;
    CHECK(*what_to_bring(there, all()) == Kinds{Kind::program});
    there.program = own;
    CHECK(*what_to_bring(there, all()) == Kinds{Kind::program});
  }
  SECTION("both are of another version") {
    there.package = there.program = "9.9.9";
    CHECK(*what_to_bring(there, all()) == Kinds{Kind::program, Kind::ready});
  }
}

TEST_CASE("what cannot be brought has a reason") {
  There there = bare();
  Offers offers = all();
  SECTION("a program of another processor") {
    there.system = "Linux aarch64";
    std::string why = what_to_bring(there, offers).error().message;
    CHECK(has(why, "Linux aarch64"));
    CHECK(has(why, "TENKAI_BRING_PROGRAM"));
  }
  SECTION("a package of another R, and no sources") {
    there.r = "4.5";
    offers.source.clear();
    CHECK(has(what_to_bring(there, offers).error().message, "R is 4.5"));
  }
  SECTION("no package") {
    offers.package = offers.source = "";
    CHECK(has(what_to_bring(there, offers).error().message, "not found"));
  }
}

TEST_CASE("what the other machine tells is found among what else it writes") {
  Result<There> there = parse_survey(
      "Welcome!\ntenkai-there r 4.2\ntenkai-there platform x86_64-pc-linux-gnu\ntenkai-there package \n"
      "tenkai-there system Linux x86_64\ntenkai-there cache /home/anna/.cache/tenkai/0.1.0\n"
      "tenkai-there program 0.0.9\ntenkai-there has program-0123456789abcdef\nBye\n");

  REQUIRE(there);
  CHECK(there->r == "4.2");
  CHECK(there->package.empty());
  CHECK(there->program == "0.0.9");
  CHECK(there->cache == "/home/anna/.cache/tenkai/0.1.0");
  CHECK(there->has == std::set<std::string>{"program-0123456789abcdef"});
  CHECK_FALSE(parse_survey("Rscript: command not found\n"));
  CHECK_FALSE(parse_survey("tenkai-there r 4.2\ntenkai-there system Linux\ntenkai-there cache here\n"));
}

TEST_CASE("an answer counts, and silence does not") {
  using Answer = Received::Answer;
  auto answer = [](const char* log) { return parse_received(log).answer; };
  CHECK(answer("noise\ntenkai-brought yes\n") == Answer::yes);
  CHECK(answer("tenkai-brought yes /home/anna/.cache/tenkai/0.1.0/program-0123456789abcdef\n") ==
        Answer::yes);
  CHECK(answer("tenkai-brought no the disk is full\n") == Answer::no);
  CHECK(answer("tenkai-brought unloadable: oh\n") == Answer::no);
  CHECK(answer("tenkai-brought unloadable libfoo.so.1 is missing\n") == Answer::unloadable);
  CHECK(parse_received("tenkai-brought no the disk is full\n").why == "the disk is full");
  CHECK(parse_received("tenkai-brought unloadable libfoo.so.1 is missing\n").why == "libfoo.so.1 is missing");
  CHECK(has(parse_received("").why, "lost"));
  CHECK(has(parse_received("sh: flock: oh\n").why, "flock"));
}

TEST_CASE("sources that are an archive already are sent as they are") {
  Offers offers = all();
  offers.source = "/home/anna/my R/tenkai" + std::string(source_archive);
  CHECK(pack_command(Kind::source, offers) == "gzip -dc <'/home/anna/my R/tenkai/source.tar.gz'");
}

TEST_CASE("a folder bears the hash, and what else decides whether it fits") {
  Parcel parcel{Kind::program, std::string(64, 'a'), ""};
  CHECK(folder_of(parcel, bare()) == "program-aaaaaaaaaaaaaaaa");
  parcel.kind = Kind::source;
  CHECK(folder_of(parcel, bare()) == "library-4.2-x86_64-pc-linux-gnu-aaaaaaaaaaaaaaaa");
}

// R's start script hands it to `echo`, and R itself takes 10000 bytes.
TEST_CASE("what R is to evaluate comes to it as it is") {
  std::vector<std::string> calls{survey_call()};
  for (Kind kind : {Kind::program, Kind::ready, Kind::source}) {
    calls.push_back(receive_call({kind, std::string(64, 'a'), ""}, bare()));
    calls.push_back(receive_call({kind, std::string(64, 'a'), "/home/anna/.cache/tenkai/x/bring-1"}, bare()));
  }
  for (const std::string& call : calls) {
    CAPTURE(call);
    CHECK(call.find('\n') == call.npos);
    CHECK(call.find('\\') == call.npos);
    CHECK(call.size() < 5000);
  }
}

TEST_CASE("a call finds what was brought before anything else") {
  CHECK(with_brought("tenkai::agent('x')", {}) == "tenkai::agent('x')");
  std::string call = with_brought("tenkai::agent('x')", {"/c/library-1", "/c/program-1"});
  CHECK(has(call, "own='/c/library-1'"));
  CHECK(has(call, "TENKAI_BIN='/c/program-1/tenkai'"));
  CHECK(call.ends_with(";tenkai::agent('x')"));
  CHECK_FALSE(has(with_brought("x", {"", "/c/program-1"}), "R_LIBS"));
}

TEST_CASE("only our own calls of R are given something") {
  CHECK(is_our_call({"Rscript", "-e", "tenkai::agent('ws://x')"}));
  CHECK(is_our_call({"bash", "-c", "…", "tenkai", "Rscript", "-e", "tenkai::daemon('ws://x')"}));
  CHECK_FALSE(is_our_call({"Rscript", "-e", "mirai::daemon('ws://x')"}));
  CHECK_FALSE(is_our_call({"sh", "-c", "tenkai::agent("}));
  CHECK_FALSE(is_our_call({"x"}));
}
