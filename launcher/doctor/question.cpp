#include "launcher/doctor/question.h"

#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string_view>
#include <utility>

#include "base/path.h"
#include "base/text.h"
#include "process/own_path.h"
#include "process/programs.h"

namespace tenkai::doctor {
namespace {

// One that floods us has had its say.
constexpr std::size_t most_output = std::size_t{4} * 1024 * 1024;
// A server that has not heard who we are drops one in three from ten on (MaxStartups of sshd).
constexpr std::size_t most_in_turn = 6;

void not_started(Answer& answer, const std::string& program, const std::string& why) {
  bool is_path = program.find('/') != program.npos;
  answer.missing = is_path ? !exists(program) : !is_in_path(program);
  if (!answer.missing) answer.unstarted = why.substr(why.rfind(": ") + 2);
  answer.errors = why;
}

class Asking {
 public:
  explicit Asking(std::size_t count) : answers_(count), waiting_(count), programs_(io_.get_executor()) {
    // Whoever is asked leads a session of its own, in which no Ctrl-C is heard.
    interrupts_.async_wait([this](boost::system::error_code cancelled, int number) {
      if (cancelled) return;
      programs_.kill_all();
      ::signal(number, SIG_DFL);
      ::raise(number);
    });
  }

  void ask_in_turn(std::size_t number, const Question& question) {
    if (!question.in_turn) return ask(number, question);
    if (in_turn_ == most_in_turn) return later_.push_back({number, question});
    ++in_turn_;
    ask(number, question);
  }

  void ask(std::size_t number, const Question& question) {
    auto asked = std::make_shared<Asked>(io_, question);
    ProgramStart start;
    start.argv = question.argv;
    start.environment = question.environment;
    start.input = question.input;
    start.on_output = [asked](std::string_view piece) {
      if (asked->answer.output.size() < most_output) asked->answer.output += piece;
    };
    Result<pid_t> pid = programs_.start(std::move(start), [this, number, asked](const ProgramEnd& end) {
      asked->timer.cancel();
      asked->answer.exit_code = end.how.exit_code;
      asked->answer.signal = end.how.signal;
      asked->answer.errors = end.log;
      finish(number, *asked);
    });
    if (!pid) {
      not_started(asked->answer, question.argv.front(), pid.error().message);
      return finish(number, *asked);
    }
    asked->timer.expires_after(question.limit);
    asked->timer.async_wait([this, asked, pid = *pid](boost::system::error_code cancelled) {
      if (cancelled) return;
      asked->answer.timed_out = true;
      programs_.signal(pid, SIGKILL);
    });
  }

  std::vector<Answer> run() {
    // What waits for children waits for ever.
    if (waiting_ > 0) io_.run();
    return std::move(answers_);
  }

 private:
  struct Asked {
    Asked(asio::io_context& io, Question what) : question(std::move(what)), timer(io) {}
    Question question;
    Answer answer;
    asio::steady_timer timer;
    std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
  };

  void finish(std::size_t number, Asked& asked) {
    auto took = std::chrono::steady_clock::now() - asked.begun;
    asked.answer.took = std::chrono::duration_cast<std::chrono::milliseconds>(took);
    std::optional<Question> next;
    if (asked.question.next) next = asked.question.next(asked.answer);
    if (next) {
      next->in_turn = asked.question.in_turn;
      return ask(number, *next);
    }
    asked.answer.ends_early = asked.question.next != nullptr;
    answers_[number] = std::move(asked.answer);
    if (asked.question.in_turn) begin_later();
    if (--waiting_ == 0) io_.stop();
  }

  void begin_later() {
    --in_turn_;
    if (later_.empty()) return;
    auto [number, question] = std::move(later_.front());
    later_.pop_front();
    ask_in_turn(number, question);
  }

  asio::io_context io_{1};
  asio::signal_set interrupts_{io_, SIGINT, SIGTERM, SIGHUP};
  std::deque<std::pair<std::size_t, Question>> later_;
  std::size_t in_turn_ = 0;
  std::vector<Answer> answers_;
  std::size_t waiting_;
  Programs programs_;
};

std::string last_line(std::string_view text) {
  text = trim(text);
  std::size_t end = text.rfind('\n');
  return printable(trim(end == text.npos ? text : text.substr(end + 1)), 300);
}

// " (the last line that it wrote)", or nothing.
std::string last_words(const Answer& answer) {
  std::string said = last_line(answer.errors.empty() ? answer.output : answer.errors);
  return said.empty() ? said : " (" + said + ")";
}

}  // namespace

std::string not_found(const Answer& answer) { return "is not found" + last_words(answer); }

std::string trouble_of(const Answer& answer, std::chrono::milliseconds limit) {
  if (answer.missing) return "is not found";
  if (!answer.unstarted.empty()) return "cannot be started (" + answer.unstarted + ")";
  if (answer.timed_out) return "gives no answer within " + in_seconds(limit);
  std::string said = last_words(answer);
  if (answer.signal) return "is ended by signal " + std::to_string(*answer.signal) + said;
  return "ends with exit code " + std::to_string(answer.exit_code.value_or(0)) + said;
}

std::vector<Answer> ask_all(const std::vector<Question>& questions) {
  Asking asking(questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) asking.ask_in_turn(i, questions[i]);
  return asking.run();
}

}  // namespace tenkai::doctor
