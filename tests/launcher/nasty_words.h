// Words that are in the way of every reader of words, and what a shell makes of them.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace tenkai::test {

// What a login shell of that kind makes of a line: the words that arrive.
inline std::vector<std::string> words_read_by(const std::string& shell, const std::string& line) {
  int pipe[2];
  REQUIRE(::pipe(pipe) == 0);
  pid_t child = ::fork();
  if (child == 0) {
    ::dup2(pipe[1], 1);
    ::close(pipe[0]);
    ::execlp(shell.c_str(), shell.c_str(), "-c", line.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(pipe[1]);
  std::string said;
  std::array<char, 4096> buffer{};
  for (ssize_t size; (size = ::read(pipe[0], buffer.data(), buffer.size())) > 0;) {
    said.append(buffer.data(), static_cast<std::size_t>(size));
  }
  ::close(pipe[0]);
  ::waitpid(child, nullptr, 0);
  std::vector<std::string> words;
  for (std::size_t end; (end = said.find('\0')) != said.npos; said.erase(0, end + 1)) {
    words.push_back(said.substr(0, end));
  }
  return words;
}

inline const std::vector<std::string> nasty{"",
                                            " ",
                                            "  two  blanks ",
                                            "a b",
                                            "a'b",
                                            "'",
                                            "''",
                                            "\"",
                                            "a\"b'c",
                                            "`",
                                            "`touch x`",
                                            "$",
                                            "$HOME",
                                            "$(touch x)",
                                            "${x}",
                                            "$$",
                                            "!",
                                            "!x",
                                            "a!b!c",
                                            "!!",
                                            "\\",
                                            "\\\\",
                                            "a\\",
                                            "\\n",
                                            "a\nb",
                                            "\n",
                                            "a\n\n",
                                            "\r",
                                            "\t",
                                            "a\tb",
                                            "#",
                                            "# x",
                                            "a#b",
                                            "-",
                                            "-n",
                                            "--",
                                            "-e",
                                            "--help",
                                            "~",
                                            "~root",
                                            "~+~",
                                            "*",
                                            "?",
                                            "[a-z]",
                                            "{a,b}",
                                            "(x)",
                                            ")",
                                            ";",
                                            "; touch x",
                                            "|",
                                            "&",
                                            "a&&b",
                                            ">x",
                                            "<x",
                                            "2>&1",
                                            "%",
                                            "%j%N",
                                            "%b\\0101",
                                            "^",
                                            "a^b",
                                            "=",
                                            "A=b",
                                            "@",
                                            "\xC3\xA9",
                                            "\xE2\x82\xAC",
                                            "\xFF\xFE",
                                            "\x01",
                                            "\x7F",
                                            "\x1B[31m",
                                            "EOF",
                                            "TENKAI",
                                            "tenkai::daemon('u',x=\"y\")",
                                            "it's \"$both\"!",
                                            "\\'",
                                            "'\\''",
                                            "\xF0\x9F\x98\x80",
                                            "a\\\nb"};

}  // namespace tenkai::test
