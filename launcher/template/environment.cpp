#include "launcher/template/environment.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/r_call.h"
#include "base/text.h"
#include "base/version.h"
#include "launcher/template/launch_keys.h"
#include "launcher/template/shell.h"

namespace tenkai {
namespace {

using Texts = std::vector<std::string>;

// What R tells its children about itself, and a step about the one it was started
// from: for another R and other steps it is wrong.
constexpr std::string_view begin_script = R"sh(
# What comes from the session and its own job, and would be wrong here.
unset R_HOME R_SHARE_DIR R_INCLUDE_DIR R_DOC_DIR R_ARCH R_SESSION_TMPDIR
unset SLURM_CPU_BIND SLURM_CPU_BIND_LIST SLURM_CPU_BIND_TYPE SLURM_CPU_BIND_VERBOSE
unset SLURM_WAIT SLURM_KILL_BAD_EXIT SLURM_IMMEDIATE SLURM_LABELIO SLURM_EXACT SLURM_OVERLAP
export SLURM_EXPORT_ENV=ALL
)sh";

constexpr std::string_view find_modules_script = R"sh(
# A shell of a batch system may not have read what defines them.
for file in "${MODULESHOME-}/init/bash" /etc/profile.d/modules.sh /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh \
  /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash; do
  type module >/dev/null 2>&1 && break
  [ ! -r "$file" ] || . "$file"
done
)sh";

constexpr std::string_view find_conda_script = R"sh(
conda_program=$(type conda >/dev/null 2>&1 && echo conda || printf %s "${CONDA_EXE-}")
)sh";

constexpr std::string_view find_spack_script = R"sh(
[ ! -r "${SPACK_ROOT-}/share/spack/setup-env.sh" ] || . "$SPACK_ROOT/share/spack/setup-env.sh"
)sh";

// By them modules, conda and Spack are found; the others are set behind these.
constexpr std::array<std::string_view, 4> set_up_variables = {"MODULESHOME", "MODULEPATH", "CONDA_EXE",
                                                              "SPACK_ROOT"};

constexpr std::array<std::string_view, 6> thread_variables = {
    "TENKAI_THREADS",  "OMP_NUM_THREADS",  "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"};

std::string without_first_line_end(std::string_view script) { return std::string(script.substr(1)); }

bool is_variable_name(std::string_view name) {
  auto may_begin = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && may_begin(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return may_begin(c) || (c >= '0' && c <= '9'); });
}

// A shell does not look for '~' within quotes.
std::string path_word(std::string_view path) {
  if (path == "~") return "\"$HOME\"";
  if (path.starts_with("~/")) return "\"$HOME\"/" + (path.size() == 2 ? "" : sh_word(path.substr(2)));
  return sh_word(path);
}

std::string or_fail(const std::string& command, const std::string& what, const std::string& sentence) {
  return command + " ||\n  fail " + sh_word(what) + " " + sh_word(sentence) + "\n";
}

class Environment {
 public:
  explicit Environment(const TemplateValues& values) : values_(values) {}

  Result<std::string> script() const;

 private:
  Texts texts(const std::string& key) const {
    auto found = values_.find(key);
    return found == values_.end() ? Texts() : found->second;
  }
  // "" where it is not set.
  std::string text(const std::string& key) const {
    Texts all = texts(key);
    const ProfileKey* known = find_template_key(key);
    return all.empty() ? std::string(known == nullptr ? "" : known->otherwise) : all.front();
  }

  std::string set_up() const;
  std::string modules() const;
  std::string conda() const;
  std::string spack() const;
  std::string container() const;
  std::string renv() const;
  Result<std::string> libraries() const;
  std::string threads() const;
  Result<std::string> variables() const;
  std::string working_directory() const;
  std::string prologue() const;
  std::string rscript() const;

  const TemplateValues& values_;
};

std::string Environment::set_up() const {
  std::string script;
  for (std::string_view name : set_up_variables) {
    std::string value = text("environment.variables." + std::string(name));
    if (!value.empty()) script += "export " + std::string(name) + "=" + path_word(value) + "\n";
  }
  return script;
}

std::string Environment::modules() const {
  Texts names = texts("environment.modules");
  if (names.empty()) return "";
  std::string script = without_first_line_end(find_modules_script);
  script += or_fail(
      "type module >/dev/null 2>&1", "module " + names[0],
      "the command 'module' is not there on this node, and the profile wants the module '" + names[0] +
          "'; let environment.variables set MODULESHOME, the folder whose init/bash defines it, or "
          "load R in another way (environment.rscript names it)");
  for (const std::string& name : names) {
    script +=
        or_fail("module load " + sh_word(name), "module " + name,
                "the module '" + name + "' could not be loaded; `module avail` shows those that there are");
  }
  return script;
}

std::string Environment::conda() const {
  std::string name = text("environment.conda");
  if (name.empty()) return "";
  std::string what = "conda " + name;
  return without_first_line_end(find_conda_script) +
         or_fail("[ -n \"$conda_program\" ]", what,
                 "conda is not there on this node, and the profile wants its environment '" + name +
                     "'; load its module (environment.modules), or let environment.variables set CONDA_EXE, "
                     "the path of the program") +
         "eval \"$(\"$conda_program\" shell.posix hook)\"\n" +
         or_fail("conda activate " + path_word(name), what,
                 "the conda environment '" + name +
                     "' could not be activated; `conda env list` shows those that there are");
}

std::string Environment::spack() const {
  Texts names = texts("environment.spack");
  if (names.empty()) return "";
  std::string script = without_first_line_end(find_spack_script) +
                       or_fail("type spack >/dev/null 2>&1", "spack " + names[0],
                               "spack is not there on this node, and the profile wants '" + names[0] +
                                   "' from it; let environment.variables set SPACK_ROOT, its folder");
  for (const std::string& name : names) {
    script += or_fail("spack load " + sh_word(name), "spack " + name,
                      "'" + name + "' could not be loaded; `spack find` shows what is installed");
  }
  return script;
}

// The words that go in front of a command.
std::string Environment::container() const {
  std::string image = text("environment.apptainer");
  if (image.empty()) return "container=()\n";
  std::string what = "apptainer " + image;
  std::string script = or_fail("type apptainer >/dev/null 2>&1", what,
                               "apptainer is not there on this node, and the profile wants the image '" +
                                   image + "'; load its module (environment.modules)");
  if (image.find("://") == image.npos) {
    script +=
        or_fail("[ -r " + path_word(image) + " ]", what,
                "the image '" + image + "' is not there on this node, or cannot be read; correct its path");
  }
  return script + "container=(apptainer exec " + path_word(image) + ")\n";
}

// The .Rprofile of a project looks for renv in the folder it is started in.
std::string Environment::renv() const {
  std::string project = text("environment.renv");
  if (project.empty()) return "";
  return "export RENV_PROJECT=" + path_word(project) + "\n" +
         or_fail("[ -r \"$RENV_PROJECT/renv/activate.R\" ] && cd \"$RENV_PROJECT\"", "renv " + project,
                 "'" + project +
                     "' is no renv project on this node (renv/activate.R is not there); correct the path, "
                     "or call renv::init() in it") +
         "export R_PROFILE_USER=$RENV_PROJECT/renv/activate.R\n"
         "[ ! -r \"$RENV_PROJECT/.Rprofile\" ] || R_PROFILE_USER=$RENV_PROJECT/.Rprofile\n";
}

std::string Environment::working_directory() const {
  std::string folder = text("environment.working-directory");
  if (folder.empty()) return "";
  return or_fail("cd " + path_word(folder), "working-directory " + folder,
                 "the job cannot go into the folder '" + folder +
                     "' on this node; make it there, or correct environment.working-directory");
}

Result<std::string> Environment::libraries() const {
  Texts words;
  for (const std::string& folder : texts("environment.lib-paths")) {
    if (folder.find(':') != folder.npos) {
      return Error{"environment.lib-paths: '" + printable(folder) +
                   "' holds a ':', which stands between folders in R_LIBS; take another folder"};
    }
    words.push_back(path_word(folder));
  }
  if (words.empty()) return std::string();
  return "export R_LIBS=" + join(words, ":") + "\"${R_LIBS:+:$R_LIBS}\"\n";
}

std::string Environment::threads() const {
  std::string threads = text("threads");
  if (threads == "auto") threads = text("launch.threads");
  if (threads.empty() || threads == "none") return "";
  std::string script = "export";
  for (std::string_view name : thread_variables) script += " " + std::string(name) + "=" + sh_word(threads);
  return script + "\n";
}

Result<std::string> Environment::variables() const {
  const std::string section = "environment.variables.";
  std::string script;
  for (auto found = values_.lower_bound(section); found != values_.end(); ++found) {
    if (!found->first.starts_with(section)) break;
    std::string name = found->first.substr(section.size());
    if (!is_variable_name(name)) {
      return Error{"environment.variables: '" + printable(name) +
                   "' cannot be the name of a variable; take letters, digits and '_'"};
    }
    if (!found->second.empty()) script += "export " + name + "=" + path_word(found->second[0]) + "\n";
  }
  return script;
}

std::string Environment::prologue() const {
  std::string prologue = text("environment.prologue");
  if (prologue.empty()) return prologue;
  // It may end the shell, and then nothing else says so.
  return "write_status prologue\n" + prologue + (prologue.ends_with('\n') ? "" : "\n");
}

std::string Environment::rscript() const {
  std::string name = text("environment.rscript");
  std::string look = text("environment.apptainer").empty()
                         ? "command -v "
                         : "\"${container[@]}\" sh -c 'command -v \"$1\"' sh ";
  std::string sentence =
      "'" + name +
      "' is not there on this node; load R (environment.modules, conda, spack, apptainer), or say "
      "where it is (environment.rscript)";
  return "rscript=$(" + look + path_word(name) + ") ||\n  fail " + sh_word("rscript " + name) + " " +
         sh_word(sentence) + " 127\nwrite_status rscript \"$rscript\"\n";
}

Result<std::string> Environment::script() const {
  Result<std::string> libraries = this->libraries();
  if (!libraries) return libraries.error();
  Result<std::string> variables = this->variables();
  if (!variables) return variables.error();
  return without_first_line_end(begin_script) + set_up() + modules() + conda() + spack() + container() +
         renv() + *libraries + threads() + *variables + working_directory() + prologue() +
         "write_status ready\n" + rscript();
}

std::string shell_words(const Texts& words) {
  std::string text;
  for (const std::string& word : words) text += " " + sh_word(word);
  return text;
}

// Two expressions: R sees by the second that it is to become a daemon.
Texts with_bringing(Texts command) {
  if (command.size() >= 2) command.insert(command.end() - 2, {"-e", bringing_call});
  return command;
}

}  // namespace

Result<std::string> environment_script(const TemplateValues& values) { return Environment(values).script(); }

std::string agent_script(const TemplateValues& values) {
  auto texts = [&values](const std::string& key) {
    auto found = values.find(key);
    return found == values.end() ? Texts() : found->second;
  };
  Texts command = texts("launch.command");
  Texts bring = texts("launch.bring");
  std::string script;
  if (!bring.empty()) {
    script = "# What R evaluates first: it brings tenkai along where it is missing.\nexport " +
             std::string(bringing_variable) + "=" + sh_word(bring.front()) + " status_file\n";
    command = with_bringing(std::move(command));
  }
  script += "agent=(\"${container[@]}\"" + shell_words(command) + ")\n";
  Texts program = texts("launch.program");
  // What is outside of a container may not run in it.
  if (program.empty() || !texts("environment.apptainer").empty()) return script;
  return script +
         "# R would only look for the program; where that of the session runs here, it saves a start of R.\n"
         "[ \"$(" +
         sh_word(program.front()) + " --version 2>/dev/null)\" != " + sh_word(program_version) +
         " ] ||\n  agent=(" + shell_words(program).substr(1) + " \"$rscript\")\n";
}

Result<TemplateValues> with_shell_code(TemplateValues values) {
  Result<std::string> status_file = status_file_script(values);
  if (!status_file) return status_file.error();
  Result<std::string> environment = environment_script(values);
  if (!environment) return environment.error();
  values["launch.beacons"] = {*status_file + std::string(old_status_names().substr(1))};
  values["launch.status-file"] = {*status_file};
  values["launch.environment"] = {*environment};
  values["launch.agent"] = {agent_script(values)};
  return values;
}

}  // namespace tenkai
