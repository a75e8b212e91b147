#include "tools/client/batch_sender.hpp"
#include "tools/client/commands.hpp"
#include "tools/client/exit_codes.hpp"
#include "tools/client/moments.hpp"
#include "tools/client/report.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <random>
#include <unistd.h>

namespace ebb::client {

namespace {

std::string fresh_producer() {
  std::random_device dice;
  return fmt::format("ebb-send-{:08x}{:08x}", dice(), dice());
}

std::string progress_of(const batch_sender& sender, std::int64_t began) {
  const auto micros = std::max<std::int64_t>(time_now() - began, 1);
  const auto rate = static_cast<double>(sender.sent()) * 1e6 / static_cast<double>(micros);
  return "sent " + grouped(sender.sent()) + " messages, "
         + grouped(static_cast<std::uint64_t>(rate)) + "/s";
}

std::string messages(std::uint64_t count) {
  return grouped(count) + (count == 1 ? " message" : " messages");
}

/// What has happened before it went wrong, and how to go on.
void tell_rest(const batch_sender& sender, const sender_settings& by, const send_arguments& what) {
  std::fprintf(stderr, "%s had been sent%s%s\n", messages(sender.sent()).c_str(),
               sender.offsets().empty() ? "" : ", offsets ", sender.offsets().c_str());
  if (what.file == "-" || sender.sent() == 0)
    return;
  std::fprintf(stderr,
               "hint: with the options --producer %s%s the same command goes on where this "
               "one ended\n",
               by.producer.c_str(),
               what.sequence == 0 ? "" : (" --sequence " + std::to_string(what.sequence)).c_str());
}

result<int> send(const connection_options& to, const send_arguments& what) {
  sender_settings by;
  EBB_ASSIGN(by.timeout, option_duration("--timeout", what.timeout));
  by.topic = what.topic;
  by.producer = what.producer.empty() ? fresh_producer() : what.producer;
  by.goes_on = !what.producer.empty();
  by.sequence = what.sequence;
  by.ack = what.ack;
  by.stream = what.stream;
  if (what.file == "-" && ::isatty(STDIN_FILENO) == 1 && !what.quiet)
    std::fputs("Type messages, one JSON object a line; Ctrl-D ends.\n", stderr);
  EBB_ASSIGN(auto service, api::open(to));
  EBB_ASSIGN(auto input, line_batches::open(what.file, {.rows = what.batch}));
  progress_line progress;
  const auto show = [&](const std::string& text) {
    if (!what.quiet)
      progress.show(text);
  };
  batch_sender sender(service, by, show);
  const auto began = time_now();
  const auto all = [&]() -> result<void> {
    for (;;) {
      EBB_ASSIGN(auto batch, input.next());
      if (!batch)
        break;
      EBB_TRY(sender.send(*std::move(batch), input.name()));
      show(progress_of(sender, began));
    }
    return sender.wait_for_acks();
  };
  const auto done = all();
  progress.clear();
  if (!done) {
    const int code = exit_of(done.error());
    tell_rest(sender, by, what);
    return code;
  }
  std::string text = "sent " + messages(sender.sent());
  if (!sender.offsets().empty())
    text += ", offsets " + sender.offsets();
  if (sender.duplicates() != 0)
    text += ", " + grouped(sender.duplicates()) + " of them were there already";
  if (what.ack != "logged" && sender.sent() != 0)
    text += ", all " + what.ack;
  print(text + '\n');
  return 0;
}

} // namespace

int send_command(const connection_options& to, const send_arguments& what) {
  return finish(send(to, what));
}

} // namespace ebb::client
