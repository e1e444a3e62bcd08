#include "launcher/order.h"

#include <chrono>

#include "base/text.h"
#include "tests/catch.h"

using namespace tenkai;

namespace {

const std::string whole =
    "plugin=ssh\nrscript=R%25script\nprofile=gpu\nform=agent\noutput=1\n"
    "option=timeout=10\nlaunch=\nslot=1\ncall=tenkai::daemon('fd:3',rs=c(1))\nslot=3\ncall=b%0Ac\n"
    "option=remote=ssh://a\nlaunch=\nslot=2\ncall=d\noption=remote=ssh://b\n";

std::string problem(const std::string& text) {
  Result<Order> order = parse_order(text, 3);
  return order ? "" : order.error().message;
}

}  // namespace

TEST_CASE("an order says what to launch where") {
  Result<Order> order = parse_order(whole, 3);

  REQUIRE(order);
  CHECK(order->plugin == "ssh");
  CHECK(order->rscript == "R%script");
  CHECK(order->profile == "gpu");
  REQUIRE(order->parts.size() == 2);
  CHECK(order->parts[0].slots == std::vector<std::size_t>{0, 2});
  CHECK(order->parts[0].calls[1] == "b\nc");
  CHECK(order->parts[0].options.at("remote") == std::vector<std::string>{"ssh://a"});
  CHECK(order->parts[1].options.at("timeout") == std::vector<std::string>{"10"});
}

TEST_CASE("an order that is none is refused with the reason") {
  CHECK(problem("") == "the order names no plugin");
  CHECK(problem("plugin=ssh") == "there is nothing to launch");
  CHECK(problem("plugin=ssh\nlaunch=\nslot=4\ncall=a") == "there is no slot 4");
  CHECK(problem("plugin=ssh\nlaunch=\nslot=0\ncall=a") == "there is no slot 0");
  CHECK(problem("plugin=ssh\nlaunch=\nslot=1") == "a launch needs a slot, and a call for each");
  CHECK(problem("plugin=ssh\nform=daemon\nlaunch=\nslot=1\ncall=a\nslot=2\ncall=b") == "one R is one daemon");
  CHECK(problem("plugin=ssh\ncolour=red").find("'colour=red' is no line of an order") == 0);
  CHECK(problem("plugin=ssh\nslot=1").find("is no line") != std::string::npos);
  CHECK(problem("plugin=ssh\nautoexit=2").find("'2' is no line") == 0);
  CHECK(problem("plugin=ssh\noption=x").find("is no line") != std::string::npos);
  std::string many = "plugin=ssh\n";
  for (int i = 0; i < 10'001; ++i) many += "launch=\n";
  CHECK(problem(many) == "more than 10000 launches at once");
}

TEST_CASE("the command of an agent names its first URL and how many daemons it runs") {
  Order order = *parse_order(whole, 3);

  CHECK(command_of(order, order.parts[0], {"ws://h:1/1", "ws://h:1/3"}, "stdin") ==
        std::vector<std::string>{"R%script", "-e",
                                 "tenkai::agent('ws://h:1/1',daemons=2,credential='stdin',output=TRUE)"});
  CHECK(manifest_lines(order.parts[0], {"ws://h:1/1", "ws://h:1/3"}) ==
        "url=ws://h:1/1\ncall=tenkai::daemon('fd:3',rs=c(1))\nurl=ws://h:1/3\ncall=b%0Ac\nend\n");
}

TEST_CASE("an agent reads how much memory each daemon may have") {
  auto order_with = [](const std::string& memory) {
    return parse_order("plugin=ssh\noption=limits.memory=" + memory + "\nlaunch=\nslot=1\ncall=a\n", 1);
  };

  CHECK(manifest_lines(order_with("2G")->parts[0], {"ws://h:1/1"}) ==
        "memory=2147483648\nurl=ws://h:1/1\ncall=a\nend\n");
  for (const char* bad : {"", "2 G", "lots", "-1G", "99999999999T"}) {
    Result<Order> order = order_with(bad);
    REQUIRE_FALSE(order);
    CHECK(order.error().message ==
          "limits.memory is '" + std::string(bad) + "', which is no amount of memory; write one, such as 2G");
  }
}

TEST_CASE("an agent is told how R is started for it, with or without R") {
  Order order = *parse_order(whole, 3);
  const Order::Part& part = order.parts[0];
  auto r_call = [&] { return command_of(order, part, {"ws://h:1/1"}, "@f")[2]; };
  CHECK(agent_command(order, part, "/opt/tenkai", "@f") ==
        std::vector<std::string>{"/opt/tenkai", "agent", "--manifest", "--credential", "@f", "--daemons", "2",
                                 "--autoexit", "1", "--output", "--rscript"});
  order.output = false;
  order.at_end = Order::AtEnd::stay;
  CHECK(r_call() == "tenkai::agent('ws://h:1/1',daemons=2,credential='@f',autoexit=FALSE)");
  CHECK(agent_command(order, part, "/opt/tenkai", "@f")[8] == "0");
  order.at_end = Order::AtEnd::finish;
  CHECK(r_call() == "tenkai::agent('ws://h:1/1',daemons=2,credential='@f',autoexit=NA)");
  CHECK(agent_command(order, part, "/opt/tenkai", "@f")[8] == "na");

  SECTION("certificates may be texts, which R writes into a file") {
    order.at_end = Order::AtEnd::now;
    order.tls = {"-----BEGIN\nit's \\", ""};
    CHECK(r_call() ==
          R"x(tenkai::agent('ws://h:1/1',daemons=2,credential='@f',tls=c('-----BEGIN\nit\'s \\','')))x");
    CHECK(agent_command(order, part, "/opt/tenkai", "@f").empty());
    CHECK(*parse_order(to_text(order), 3) == order);
  }
  SECTION("one R needs no agent") {
    order.form = Order::Form::daemon;
    CHECK(agent_command(order, part, "/opt/tenkai", "@f").empty());
  }
}

TEST_CASE("an order may leave slots for later") {
  const std::string later =
      "plugin=slurm\ncredential=file\nchunk=1\nscale=1,50,0.5,300000,1000\noption=a=b\nspare=\nslot=2\ncall="
      "x\n"
      "slot=3\ncall=y\n";
  Result<Order> order = parse_order(later, 3);
  REQUIRE(order);
  CHECK(order->parts.empty());
  CHECK(order->scale->min == 1);
  CHECK(order->scale->max == 50);
  CHECK(order->scale->backlog == 0.5);
  CHECK(order->scale->idle == std::chrono::minutes(5));
  CHECK(order->scale->pace == std::chrono::seconds(1));
  CHECK(order->spare->slots == std::vector<std::size_t>{1, 2});
  CHECK(order->spare->options.at("a") == std::vector<std::string>{"b"});
  CHECK(*parse_order(to_text(*order), 3) == *order);

  auto with = [&later](const std::string& scale) {
    std::string text = later;
    std::size_t at = text.find("scale=");
    return problem(text.replace(at, text.find('\n', at) - at, scale));
  };
  for (std::string bad : {"scale=", "scale=1,2,3,4", "scale=3,2,1,1,1", "scale=0,0,1,1,1", "scale=0,1,0,1,1",
                          "scale=0,1,-1,1,1", "scale=0,1,inf,1,1", "scale=0,1,nan,1,1", "scale=0,1,1x,1,1",
                          "scale=0,1,1,99999999999,1"}) {
    INFO(bad);
    CHECK(with(bad).find("is no line of an order") != std::string::npos);
  }
  CHECK(problem("plugin=slurm\nscale=0,1,1,1,1\nlaunch=\nslot=1\ncall=a") ==
        "there are no slots between which to scale");
  CHECK(problem("plugin=ssh\nspare=\nslot=1\ncall=a") == "only jobs of a batch system can be launched later");
  CHECK(problem("plugin=slurm\nspare=\nspare=").find("is no line") != std::string::npos);
  CHECK(problem("plugin=slurm\nspare=\nlaunch=").find("is no line") != std::string::npos);
}

TEST_CASE("agents of a batch system share the daemons") {
  Order order = *parse_order(whole, 3);
  CHECK(chunk_of(order, order.parts[0]) == std::nullopt);
  order.chunk = 1;
  CHECK(chunk_of(order, order.parts[0]) == 1);
  CHECK(command_of(order, order.parts[0], {"ws://h:1/1", "ws://h:1/3"}, "@f")[2] ==
        "tenkai::agent('ws://h:1/1',daemons=1,credential='@f',output=TRUE)");
  order.chunk = 100;
  CHECK(chunk_of(order, order.parts[0]) == 2);
  CHECK(parse_order(to_text(order), 3)->chunk == 100);

  order.chunk = 0;
  Order::Part many;
  many.slots.resize(64);
  CHECK(chunk_of(order, many) == 1);
  many.slots.resize(1000);
  CHECK(chunk_of(order, many) == 16);
  many.options["slurm.nodes"] = {"3"};
  CHECK(chunk_of(order, many) == 334);

  CHECK(problem("plugin=slurm\nchunk=x").find("is no line") != std::string::npos);
  CHECK(problem("plugin=slurm\nchunk=1\nform=daemon\nlaunch=\nslot=1\ncall=a") ==
        "daemons without an agent cannot share one");
}

TEST_CASE("the command of one daemon is the call it was given") {
  Order order = *parse_order(
      "plugin=command\nform=daemon\ncredential=file\nlaunch=\nslot=1\n"
      "call=tenkai::daemon('@URL@',credential='@CREDENTIAL@')\n",
      1);

  CHECK(command_of(order, order.parts[0], {"ws://h:1/1"}, "@/f") ==
        std::vector<std::string>{"Rscript", "-e", "tenkai::daemon('ws://h:1/1',credential='@/f')"});
}

TEST_CASE("any value fits into a line, and comes out as it went in") {
  std::string value = "100%25\n\r\t%0A%";

  CHECK(escape_line(value).find_first_of("\n\r\t") == std::string::npos);
  CHECK(unescape_line(escape_line(value)) == value);
  CHECK(unescape_line("%4%") == "%4%");
}
