#include "launcher/template/template.h"

#include "launcher/template/directives.h"
#include "launcher/template/shell.h"
#include "tests/catch.h"
#include "tests/launcher/nasty_words.h"

using namespace tenkai;
using test::nasty;
using test::words_read_by;
using Words = std::vector<std::string>;

namespace {

std::string rendered(const std::string& body, const TemplateValues& values = {}) {
  Result<JobScript> script = render_template("t", "#!/bin/bash\n" + body, values);
  return script ? script->text.substr(12) : "error: " + script.error().message;
}

bool says(const std::string& text, std::string_view part) {
  INFO(text);
  return text.starts_with("error: ") && text.find(part) != text.npos;
}

}  // namespace

TEST_CASE("a template without values stays as it is") {
  std::string text = "#!/bin/bash\n#SBATCH -a # b\n\nif x; then\n  y 'z\n\n'\nfi\n";

  Result<JobScript> script = render_template("t", text, {});

  REQUIRE(script);
  CHECK(script->text == text);
  CHECK(script->directives == Words{"-a"});
}

TEST_CASE("a value becomes what its place needs") {
  TemplateValues values{{"slurm.partition", {"a 'b' \\c"}}};

  CHECK(
      rendered(
          "#SBATCH --partition={{ slurm.partition }}\necho {{slurm.partition}} --x={{ slurm.partition }};\n",
          values) == "#SBATCH --partition=\"a 'b' \\\\c\"\necho \"a 'b' \\\\c\" --x=\"a 'b' \\\\c\";\n");
}

TEST_CASE("the directives are those of the template with the values in them") {
  TemplateValues values{
      {"launch.name", {"a # b"}}, {"slurm.options", {"--exclusive", "--x=\"'"}}, {"slurm.qos", {""}}};

  Result<JobScript> script =
      render_template("t",
                      "#!/bin/sh\n#SBATCH -J {{ launch.name }} --y # z\n#SBATCH {{ slurm.options | }}\n"
                      "#SBATCH --qos={{ slurm.qos }}{{ launch.name }}\n",
                      values);

  REQUIRE(script);
  CHECK(script->directives == Words{"-J", "a # b", "--y", "--exclusive", "--x=\"'", "--qos=a # b"});
  CHECK(script->text ==
        "#!/bin/sh\n#SBATCH -J \"a # b\" --y # z\n#SBATCH --exclusive\n#SBATCH \"--x=\\\"'\"\n#SBATCH "
        "--qos=\"\"\"a # b\"\n");
}

TEST_CASE("every word arrives as it is, or is refused") {
  for (const std::string& word : nasty) {
    INFO("word: " << word);
    TemplateValues values{{"launch.command", {word, word}}, {"launch.name", {word}}};
    Result<JobScript> script =
        render_template("t",
                        "#!/bin/sh\nx={{ launch.name }}\nprintf '%s\\0' {{ launch.command }} \"$x\" a={{ "
                        "launch.name }} $(printf %s {{ launch.name }}x)",
                        values);
    if (!script) {
      CHECK(word == "\r");
      continue;
    }
    Words read = words_read_by("bash", script->text);
    REQUIRE(read.size() >= 4);
    CHECK(Words(read.begin(), read.begin() + 4) == Words{word, word, word, "a=" + word});
  }
}

TEST_CASE("a word of the shell's own is none where a command may stand") {
  CHECK(rendered("{{ launch.command }} {{ launch.command }}", {{"launch.command", {"if"}}}) == "'if' 'if'\n");
  CHECK(rendered("{{ launch.command }}", {{"launch.command", {"A=b"}}}) == "'A=b'\n");
}

TEST_CASE("a default stands in for a key that is not set") {
  CHECK(rendered("x {{ slurm.qos | a b }} y", {}) == "x 'a b' y\n");
  CHECK(rendered("x {{ slurm.qos | a b }} y", {{"slurm.qos", {"q"}}}) == "x q y\n");
  CHECK(rendered("x {{ slurm.qos | a b }} y", {{"slurm.qos", {}}}) == "x 'a b' y\n");
  // That of the key itself, where the template has none.
  CHECK(rendered("x {{ environment.rscript }}") == "x Rscript\n");
  CHECK(rendered("x {{ launch.rank-offset }}") == "x 0\n");
}

TEST_CASE("a line with a key that is not set, and no default, is left out") {
  CHECK(rendered("#SBATCH --qos={{ slurm.qos | }}\na\nb {{ slurm.qos | }} {{ launch.rank-offset }}\nc\n") ==
        "a\nc\n");
  CHECK(rendered("#SBATCH {{ slurm.options | }}\na\n") == "a\n");
  CHECK(says(rendered("a \\\n b {{ slurm.qos | }}\n"), "t:3: a line that goes on from the one before"));
  CHECK(says(rendered("a {{ slurm.qos | }} \\\n b\n"), "t:2: a line that goes on in the next"));
}

TEST_CASE("a list is words for the shell, and lines for sbatch") {
  TemplateValues values{{"slurm.options", {"-a", "b c"}}};

  CHECK(rendered("#SBATCH {{ slurm.options }}\nx {{ slurm.options }}; y\n", values) ==
        "#SBATCH -a\n#SBATCH \"b c\"\nx -a 'b c'; y\n");
  CHECK(says(rendered("#SBATCH --x={{ slurm.options }}\n", values), "t:2: 'slurm.options' has 2 values"));
  CHECK(says(rendered("x --x={{ slurm.options }}\n", values), "cannot be part of a word"));
}

TEST_CASE("shell code is put in as it stands, and alone on its line") {
  TemplateValues values{{"environment.prologue", {"a 'b\n' \"$c\"\n"}}};

  CHECK(rendered("x\n  {{ environment.prologue | }}\ny\n", values) == "x\na 'b\n' \"$c\"\ny\n");
  CHECK(says(rendered("x {{ environment.prologue }}\n", values), "nothing else on the line"));
  CHECK(says(rendered("#SBATCH {{ environment.prologue }}\n", values), "is shell code, no option"));
  CHECK(says(rendered("x '\n{{ environment.prologue }}\n'\n", values), "on a line between two commands"));
  CHECK(rendered("{{ environment.prologue | }}\n") == "");
}

TEST_CASE("no value adds a directive, or is one that has no effect") {
  for (const char* text :
       {"a\n#SBATCH --x", "#SBATCH --x", "a\n  #SBATCH --x", "a\n#PBS -l x", "#BSUB -n 5\n"}) {
    INFO(text);
    TemplateValues values{{"environment.prologue", {text}}, {"launch.name", {text}}};
    CHECK(says(rendered("{{ environment.prologue }}\n", values), "put it into slurm.options"));
    CHECK(says(rendered("x {{ launch.name }}\n", values), "put it into slurm.options"));
    CHECK(says(rendered("#SBATCH -J {{ launch.name }}\n", values), "t:2:"));
  }
  CHECK(says(rendered("#SBATCH -J {{ launch.name }}\n", {{"launch.name", {"a\n--x"}}}), "holds a line end"));
  CHECK(says(rendered("#SBATCH -J het{{ launch.name }}\n", {{"launch.name", {"job"}}}), "'hetjob'"));
}

TEST_CASE("a place where a value would be something else is refused, with the line") {
  TemplateValues values{{"launch.name", {"x"}}};
  auto at = [&](const std::string& line) { return rendered(line + "\n", values); };

  CHECK(at("echo \"{{ launch.name }}\"") ==
        "error: t:2: a value cannot stand within quotes; write it as a word of its own, outside of that; the "
        "line is: "
        "echo \"{{ launch.name }}\"");
  CHECK(says(at("# {{ launch.name }}"), "in a comment"));
  CHECK(says(at("cat <<E\n{{ launch.name }}\nE"), "t:3: a value cannot stand in a here-document"));
  CHECK(says(at("echo ${{ launch.name }}"), "behind a '$'"));
  CHECK(says(at("echo \\{{ launch.name }}"), "behind a backslash"));
  CHECK(says(at("#SBATCH --x=\"{{ launch.name }}\""), "within quotes"));
  CHECK(says(at("#SBATCH --x # {{ launch.name }}"), "in a comment"));
  CHECK(says(at("#SBATCH --x={{ launch.name }}#{{ launch.name }}"), "in a comment"));
  CHECK(says(at("#SBATCH --x=\\{{ launch.name }}"), "behind a backslash"));
}

TEST_CASE("an unknown key is answered with the one that was meant") {
  CHECK(rendered("a\nx {{ slurm.partiton }}\n") ==
        "error: t:3: there is no key 'slurm.partiton'; did you mean 'slurm.partition'?; the line is: x {{ "
        "slurm.partiton "
        "}}");
  CHECK(says(rendered("x {{ launch.nmae | }}"), "did you mean 'launch.name'?"));
  CHECK(says(rendered("x {{ wholly.unknown }}"), "docs/templates.md"));
  CHECK(says(rendered("x {{ slurm.qos }}"), "'slurm.qos' has no value"));
  CHECK(rendered("x {{ plugin.own }}", {{"plugin.own", {"y"}}}) == "x y\n");
  CHECK(rendered("x {{ environment.variables.A | }}", {{"environment.variables.A", {"y"}}}) == "x y\n");
}

TEST_CASE("what is no template is refused") {
  CHECK(says(rendered("x {{ launch.name\n"), "no '}}' ends it"));
  CHECK(says(rendered("awk '{{print $1}}'\n"), "write '{{ key }}'"));
  CHECK(says(rendered("x\r\n"), "t:2: the template holds a control character"));
  CHECK(says(rendered("x\ny \x01\n"), "t:3: the template holds a control character"));
  CHECK(says(rendered("x\n#SBATCH -a\n"), "t:3: sbatch reads no #SBATCH line behind the first command"));
  CHECK(says(rendered(" #SBATCH -a\n"), "t:2: sbatch does not read this line as you mean it"));
  CHECK(says(rendered("cat <<E\n#SBATCH -a\nE\n"), "t:3: sbatch does not read"));
  CHECK(says(rendered("#SBATCH \"a\n"), "a quote is not closed"));
  CHECK_FALSE(render_template("t", "true\n", {}));
  CHECK_FALSE(render_template("t", "", {}));
}

TEST_CASE("templates, scripts, lines and values have limits") {
  CHECK(says(rendered(std::string(max_template_bytes, 'x')), "larger than 1 MiB"));
  CHECK(says(rendered(std::string(max_template_lines + 1, '\n')), "too many lines"));
  std::string many;
  for (std::size_t i = 0; i <= max_placeholders; ++i) many += "x {{ launch.rank-offset }}\n";
  CHECK(says(rendered(many), "too many"));
  CHECK(says(rendered("x {{ launch.name }}", {{"launch.name", {std::string(max_script_bytes, 'x')}}}),
             "larger than 4 MiB"));
}

TEST_CASE("numbers are numbers") {
  CHECK(says(rendered("x {{ launch.ntasks }}", {{"launch.ntasks", {"x[$(touch y)]"}}}), "'launch.ntasks'"));
}
