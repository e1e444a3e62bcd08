#!/bin/sh
# Prints a C++ source with the job scripts that are part of the program:
#
#   cmake/own_templates.sh FILE...
set -eu
echo '#include "launcher/template/own_templates.h"'
echo
echo 'namespace tenkai {'
echo
echo 'const std::map<std::string, std::string_view, std::less<>>& own_templates() {'
echo '  static const std::map<std::string, std::string_view, std::less<>> all = {'
for file in "$@"; do
  printf '    {"%s", R"tenkai(' "$(basename "$file")"
  cat "$file"
  printf ')tenkai"},\n'
done
echo '  };'
echo '  return all;'
echo '}'
echo
echo '}  // namespace tenkai'
