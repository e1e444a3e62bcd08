// .Call wrappers for the link to a dispatcher.
#include "session.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "api.h"
#include "base/error_code.h"
#include "base/r_call.h"
#include "base/version.h"
#include "depth.h"
#include "mirai.h"
#include "serialize.h"
#include "spawn.h"
#include "values.h"

namespace tenkai {

namespace {

SEXP tell = nullptr;
SEXP hear = nullptr;
SEXP space = nullptr;

SEXP link_tag() {
  static SEXP symbol = Rf_install("tenkai_link");
  return symbol;
}

void drop_link(SEXP pointer) {
  auto* link = static_cast<std::shared_ptr<Link>*>(R_ExternalPtrAddr(pointer));
  if (link == nullptr) return;
  R_ClearExternalPtr(pointer);
  delete link;
}

std::vector<std::string> texts_of(SEXP strings) {
  std::vector<std::string> texts;
  for (R_xlen_t i = 0; i < XLENGTH(strings); ++i) {
    texts.emplace_back(utf8_of(STRING_ELT(strings, i)));
  }
  return texts;
}

constexpr auto greeting_limit = std::chrono::seconds(10);

void greet(Link& link, const std::string& program, const std::string& version) {
  link.send(Frame(Type::hello)
                .with(Key::role, static_cast<std::uint64_t>(Role::session))
                .with(Key::version, version)
                .with(Key::pid, static_cast<std::uint64_t>(getpid())));
  std::optional<Frame> answer = link.await_control(greeting_limit);
  if (!answer) {
    if (link.is_usable()) throw std::runtime_error("the program '" + program + "' did not answer in 10 s");
    throw std::runtime_error("the program '" + program + "' did not answer like a dispatcher of tenkai; " +
                             link.obituary());
  }
  std::string theirs = answer->text(Key::version);
  if (!theirs.empty() && !works_with(version, theirs)) {
    throw std::runtime_error("the tenkai program '" + program + "' is version " + theirs +
                             ", this package is " + version + ": install both from the same release");
  }
  if (answer->type != Type::welcome) {
    throw std::runtime_error("the program '" + program +
                             "' refused this session: " + answer->text(Key::message));
  }
  link.welcome(answer->number(Key::memory_limit, UINT64_MAX));
}

SEXP wrap(std::shared_ptr<Link>* link) {
  SEXP pointer = PROTECT(R_MakeExternalPtr(link, link_tag(), R_NilValue));
  R_RegisterCFinalizerEx(pointer, drop_link, TRUE);
  UNPROTECT(1);
  return pointer;
}

}  // namespace

std::shared_ptr<Link>& link_of(SEXP pointer) {
  void* address = nullptr;
  if (TYPEOF(pointer) == EXTPTRSXP && R_ExternalPtrTag(pointer) == link_tag()) {
    address = R_ExternalPtrAddr(pointer);
  }
  if (address == nullptr) throw std::runtime_error(text_of(Code::closed));
  return *static_cast<std::shared_ptr<Link>*>(address);
}

SEXP pointer_to(const std::shared_ptr<Link>& link) {
  auto copy = std::make_unique<std::shared_ptr<Link>>(link);
  auto make = [&] { return wrap(copy.get()); };
  SEXP pointer = safely(make);
  copy.release();
  return pointer;
}

struct Unread {
  const Payload& payload;
  const Verdict& verdict;
};

SEXP read_unread(void* data) {
  auto* unread = static_cast<Unread*>(data);
  return unserialize(unread->payload, unread->verdict);
}

SEXP read_nothing(SEXP, void*) { return R_NilValue; }

// NULL where the session does not take it, or cannot read it. `payload`: of a condition.
SEXP what_was_said(const Saying& saying, const Payload& payload, bool is_safe) {
  if (saying.kind == Saying::Kind::output) {
    SEXP raw = Rf_allocVector(RAWSXP, static_cast<R_xlen_t>(saying.bytes.size()));
    std::copy(saying.bytes.begin(), saying.bytes.end(), RAW(raw));
    return raw;
  }
  if (!payload) return R_NilValue;
  Verdict verdict = examine(payload, is_safe ? Allowed::data : Allowed::everything);
  if (!verdict.is_good() || !has_room(stack_for(verdict.recursion))) return R_NilValue;
  Unread unread{payload, verdict};
  return R_tryCatchError(read_unread, &unread, read_nothing, nullptr);
}

// What R does with it may be anything: each is taken before it is told.
void tell_sayings(Link& link) {
  while (std::optional<Saying> saying = link.take_saying()) {
    // Out here, since R jumps out of the body.
    bool is_condition = saying->kind != Saying::Kind::output && !saying->bytes.empty();
    Payload payload = is_condition ? make_payload(saying->bytes) : nullptr;
    auto body = [&]() -> SEXP {
      SEXP id = PROTECT(text(link.name_of(saying->of)));
      SEXP task = PROTECT(Rf_ScalarReal(static_cast<double>(saying->task)));
      SEXP kind = PROTECT(Rf_ScalarInteger(static_cast<int>(saying->kind)));
      SEXP what = PROTECT(what_was_said(*saying, payload, link.is_safe()));
      SEXP attempt = PROTECT(Rf_ScalarReal(saying->attempt));
      // hear(id, task, kind, what, attempt)
      SEXP call = PROTECT(Rf_lang6(hear, id, task, kind, what, attempt));
      Rf_eval(call, R_BaseEnv);
      UNPROTECT(6);
      return R_NilValue;
    };
    safely(body);
  }
}

void tell_notes(Link& link) {
  tell_sayings(link);
  tell_own_notes(link);
}

void tell_own_notes(Link& link) {
  if (!link.has_notes() || tell == nullptr) return;
  std::vector<Link::Note> notes = link.take_notes();
  auto body = [&]() -> SEXP {
    auto count = static_cast<R_xlen_t>(notes.size());
    SEXP sentences = PROTECT(Rf_allocVector(STRSXP, count));
    SEXP launches = PROTECT(Rf_allocVector(STRSXP, count));
    for (R_xlen_t i = 0; i < count; ++i) {
      const Link::Note& note = notes[static_cast<std::size_t>(i)];
      SET_STRING_ELT(sentences, i, STRING_ELT(text(note.sentence), 0));
      SET_STRING_ELT(launches, i, STRING_ELT(text(note.launches), 0));
    }
    SEXP call = PROTECT(Rf_lang3(tell, sentences, launches));
    Rf_eval(call, R_BaseEnv);
    UNPROTECT(3);
    return R_NilValue;
  };
  safely(body);
}

SEXP evaluation_space() { return space; }

}  // namespace tenkai

using namespace tenkai;

SEXP tk_set_functions(SEXP reader_factory, SEXP tell_function, SEXP hear_function, SEXP evaluation_space) {
  set_reader_factory(reader_factory);
  R_PreserveObject(tell_function);
  tell = tell_function;
  R_PreserveObject(hear_function);
  hear = hear_function;
  R_PreserveObject(evaluation_space);
  space = evaluation_space;
  return R_NilValue;
}

SEXP tk_works_with(SEXP own, SEXP theirs) {
  return guarded([&] { return Rf_ScalarLogical(works_with(text_of(own), text_of(theirs))); });
}

SEXP tk_connect(SEXP program, SEXP environment, SEXP output, SEXP version) {
  return guarded([&] {
    std::string path = text_of(program);
    Started started =
        start_program({path, "dispatcher"}, texts_of(environment), Rf_asLogical(output) == TRUE);
    auto link = std::make_unique<std::shared_ptr<Link>>(
        std::make_shared<Link>(started.fd, started.pid, started.words));
    greet(**link, path, text_of(version));
    return pointer_to(*link);
  });
}

SEXP tk_setup(SEXP pointer, SEXP settings) {
  return guarded([&] {
    std::shared_ptr<Link> kept = link_of(pointer);
    Link& link = *kept;
    Frame setup(Type::setup);
    setup.payload = make_payload(text_of(settings));
    link.send(setup);
    std::optional<Frame> answer = link.await_control(std::chrono::seconds(20));
    if (!answer && !link.is_usable()) throw std::runtime_error(link.obituary());
    if (!answer) throw std::runtime_error("the dispatcher did not take its settings in 20 s");
    if (answer->type != Type::ready) throw std::runtime_error(answer->text(Key::message));
    if (answer->find(Key::memory_limit)) link.welcome(answer->number(Key::memory_limit));
    auto make = [&] { return text(std::string(view_of(answer->payload))); };
    SEXP urls = PROTECT(safely(make));
    tell_notes(link);
    UNPROTECT(1);
    return urls;
  });
}

SEXP tk_make_safe(SEXP pointer) {
  return guarded([&] {
    link_of(pointer)->make_safe();
    return R_NilValue;
  });
}

// The link's pointer keeps them alive, and tk_submit() finds them there.
SEXP tk_set_hooks(SEXP pointer, SEXP hooks) {
  return guarded([&] {
    link_of(pointer);
    R_SetExternalPtrProtected(pointer, hooks);
    return R_NilValue;
  });
}

SEXP tk_is_safe(SEXP pointer) {
  return guarded([&] { return Rf_ScalarLogical(link_of(pointer)->is_safe()); });
}

// The reply's payload as a text; or an error value.
SEXP tk_ask(SEXP pointer, SEXP name, SEXP payload, SEXP numbers, SEXP limit_ms) {
  return guarded([&] {
    std::shared_ptr<Link> kept = link_of(pointer);
    Link& link = *kept;
    Frame request(Type::request);
    request.with(Key::name, text_of(name));
    const double* number = REAL(numbers);
    Key keys[] = {Key::slot, Key::kind, Key::timeout_ms};
    for (int i = 0; i < 3; ++i) {
      if (!std::isnan(number[i])) request.with(keys[i], static_cast<std::uint64_t>(number[i]));
    }
    request.payload = make_payload(text_of(payload));
    auto limit = std::chrono::milliseconds(static_cast<long long>(Rf_asReal(limit_ms)));
    Answer reply = link.ask(std::move(request), limit);
    auto make = [&]() -> SEXP {
      SEXP words = PROTECT(text(std::string(view_of(reply.payload))));
      if (reply.code != 0) {
        SEXP value = PROTECT(error_value(reply.code, reply.message));
        Rf_setAttrib(value, Rf_install("payload"), words);
        UNPROTECT(2);
        return value;
      }
      UNPROTECT(1);
      return words;
    };
    SEXP made = PROTECT(safely(make));
    tell_notes(link);
    UNPROTECT(1);
    return made;
  });
}

// What the Rscript of a daemon evaluates. `values` are as R reads them, `names` theirs.
SEXP tk_daemon_call(SEXP url, SEXP credential, SEXP tls, SEXP names, SEXP values, SEXP local) {
  return guarded([&] {
    std::vector<RArgument> options;
    std::vector<std::string> given = texts_of(values);
    std::vector<std::string> called = texts_of(names);
    for (std::size_t i = 0; i < given.size() && i < called.size(); ++i)
      options.push_back({called[i], given[i]});
    std::string source = XLENGTH(credential) > 0 ? texts_of(credential).front() : "";
    std::string call = daemon_call(text_of(url), source, texts_of(tls), options);
    auto make = [&] { return text(Rf_asLogical(local) == TRUE ? with_libraries(call) : call); };
    return safely(make);
  });
}

// 0 usable, 1 inherited by fork, 2 ended.
SEXP tk_state(SEXP pointer) {
  return guarded([&] {
    if (TYPEOF(pointer) != EXTPTRSXP || R_ExternalPtrAddr(pointer) == nullptr) return Rf_ScalarInteger(2);
    Link& link = *link_of(pointer);
    if (link.is_foreign()) return Rf_ScalarInteger(1);
    link.take_in();
    return Rf_ScalarInteger(link.is_usable() ? 0 : 2);
  });
}

SEXP tk_fd(SEXP pointer) {
  return guarded([&] { return Rf_ScalarInteger(link_of(pointer)->fd()); });
}

SEXP tk_pid(SEXP pointer) {
  return guarded([&] { return Rf_ScalarInteger(static_cast<int>(link_of(pointer)->dispatcher())); });
}

SEXP tk_close(SEXP pointer, SEXP kind) {
  return guarded([&] {
    if (TYPEOF(pointer) != EXTPTRSXP || R_ExternalPtrAddr(pointer) == nullptr) return R_NilValue;
    std::shared_ptr<Link> link = link_of(pointer);
    link->close(static_cast<ByeKind>(Rf_asInteger(kind)));
    drop_link(pointer);
    tell_notes(*link);
    return R_NilValue;
  });
}
