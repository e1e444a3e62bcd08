#include "launcher/template/find.h"

#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <utility>
#include <vector>

#include "base/path.h"
#include "base/text.h"
#include "launcher/template/own_templates.h"
#include "launcher/template/template.h"
#include "wire/trusted_file.h"

namespace tenkai {
namespace {

std::string home() {
  const char* value = std::getenv("HOME");
  return value == nullptr ? "" : value;
}

// PREFIX/bin/tenkai has PREFIX/share/tenkai/templates, CHECKOUT/build/bin/tenkai
// CHECKOUT/templates.
std::vector<std::string> folders(const std::string& program) {
  std::string above = folder_of(folder_of(program));
  std::string further = folder_of(above);
  std::vector<std::string> found;
  if (!home().empty()) found.push_back(home() + "/.config/tenkai/templates");
  found.emplace_back("/etc/tenkai/templates");
  if (above.empty()) return found;
  found.push_back(above + "/share/tenkai/templates");
  found.push_back(further + "/templates");
  return found;
}

Result<FoundTemplate> read_template(const std::string& path) {
  Result<std::optional<TrustedFile>> file = read_trusted_file(path, max_template_bytes);
  if (!file) return Error{"the template '" + printable(path) + "' " + file.error().message};
  if (!file->has_value())
    return Error{"there is no template '" + printable(path) + "'; correct slurm.template"};
  return FoundTemplate{path, std::move((*file)->text)};
}

}  // namespace

Result<FoundTemplate> find_template(const std::string& name, const std::string& program) {
  if (name.find('/') != name.npos) {
    std::string path = name.starts_with("~/") ? home() + name.substr(1) : name;
    if (exists(path)) return read_template(path);
    return Error{"there is no template '" + printable(path) + "'; correct slurm.template"};
  }
  for (const std::string& folder : folders(program)) {
    if (std::string path = folder + "/" + name; !name.empty() && exists(path)) return read_template(path);
  }
  if (auto own = own_templates().find(name); own != own_templates().end())
    return FoundTemplate{"tenkai's own " + name, std::string(own->second)};
  return Error{"there is no template '" + printable(name) + "' in " +
               printable(join(folders(program), ", "), 2000) +
               "; put it there, or give its path with a '/' in it ('./" + printable(name) + "')"};
}

}  // namespace tenkai
