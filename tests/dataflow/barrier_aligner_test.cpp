#include "actors/dataflow/barrier_aligner.hpp"

#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>

using namespace ebb; // NOLINT

namespace {

/// Two inputs: the first of two channels, the second of one. Says what every event did:
/// `h` hold, `r` release, `A` aligned, `q` requested and not aligned, `.` nothing of these.
class script {
public:
  script& request(epoch_number epoch) {
    return note(x_.request(epoch));
  }

  script& barrier(std::uint32_t input, std::uint32_t channel, epoch_number epoch) {
    return note(x_.barrier(input, channel, epoch));
  }

  script& close(std::uint32_t input, std::uint32_t channel) {
    x_.close(input, channel);
    return note({});
  }

  script& complete() {
    x_.complete();
    return note({});
  }

  [[nodiscard]] epoch_number current() const {
    return x_.current();
  }

  std::string text;

private:
  script& note(const barrier_aligner::effect& x) {
    if (!text.empty())
      text += ' ';
    if (x.release)
      text += 'r';
    if (x.hold)
      text += 'h';
    text += x_.aligned() ? 'A' : x_.requested() ? 'q' : '.';
    return *this;
  }

  barrier_aligner x_{{2, 1}};
};

struct aligner_case {
  const char* name;
  std::function<void(script&)> run;
  const char* expected;
  epoch_number current;
};

const aligner_case cases[] = {
    {"the request first, then every channel",
     [](script& x) { x.request(5).barrier(0, 0, 5).barrier(1, 0, 5).barrier(0, 1, 5); },
     "q hq hq hA", 5},
    {"barriers first, the request last",
     [](script& x) { x.barrier(0, 1, 5).barrier(1, 0, 5).barrier(0, 0, 5).request(5); },
     "h. h. h. A", 5},
    {"the next epoch starts from nothing",
     [](script& x) {
       x.request(5).barrier(0, 0, 5).barrier(0, 1, 5).barrier(1, 0, 5).complete();
       x.request(6).barrier(0, 0, 6).barrier(0, 1, 6).barrier(1, 0, 6);
     },
     "q hq hq hA . q hq hq hA", 6},
    {"a higher request releases what an older epoch holds",
     [](script& x) { x.request(5).barrier(0, 0, 5).request(6).barrier(0, 0, 6); }, "q hq rq hq", 6},
    {"a higher barrier releases and holds at once",
     [](script& x) { x.request(5).barrier(0, 0, 5).barrier(1, 0, 7); }, "q hq rh.", 7},
    {"a barrier of an epoch that was given up comes late",
     [](script& x) {
       x.request(6).barrier(0, 0, 5).barrier(0, 0, 6).barrier(0, 1, 5).barrier(0, 1, 6);
       x.barrier(1, 0, 6);
     },
     "q q hq q hq hA", 6},
    {"a barrier of a completed epoch means nothing",
     [](script& x) {
       x.request(5).barrier(0, 0, 5).barrier(0, 1, 5).barrier(1, 0, 5).complete();
       x.barrier(0, 0, 5).barrier(0, 0, 4).request(5).request(3);
     },
     "q hq hq hA . . . . .", 0},
    {"a barrier counts once", [](script& x) { x.request(5).barrier(0, 0, 5).barrier(0, 0, 5); },
     "q hq q", 5},
    {"a request counts once, a lower one not at all",
     [](script& x) { x.request(5).request(5).request(4); }, "q q q", 5},
    {"closed channels hold nothing up",
     [](script& x) {
       x.close(0, 0).request(5).barrier(0, 1, 5).close(1, 0).complete();
       x.request(6).close(0, 1).complete().request(7);
     },
     ". q hq A . q A . A", 7},
    {"all channels closed before any request",
     [](script& x) { x.close(0, 0).close(0, 1).close(1, 0).request(5); }, ". . . A", 5},
    {"a channel that closes behind its barrier was counted once",
     [](script& x) {
       x.request(5).barrier(0, 0, 5).barrier(0, 1, 5).barrier(1, 0, 5).complete().close(0, 0);
       x.request(6).barrier(0, 1, 6).barrier(1, 0, 6);
     },
     "q hq hq hA . . q hq hA", 6},
    {"an epoch that only barriers know is not aligned",
     [](script& x) { x.barrier(0, 0, 5).barrier(0, 1, 5).barrier(1, 0, 5); }, "h. h. h.", 5},
    {"a barrier passes a request that is under way",
     [](script& x) { x.request(5).barrier(0, 0, 6).request(6).barrier(0, 1, 6).barrier(1, 0, 6); },
     "q rh. q hq hA", 6},
};

} // namespace

BOOST_AUTO_TEST_SUITE(aligner)

BOOST_AUTO_TEST_CASE(follows_the_table) {
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT(c.name) {
      script x;
      c.run(x);
      BOOST_TEST(x.text == c.expected);
      BOOST_TEST(x.current() == c.current);
    }
  }
}

BOOST_AUTO_TEST_CASE(without_channels_a_request_is_enough) {
  barrier_aligner x({});
  BOOST_TEST(!x.aligned());
  x.request(1);
  BOOST_TEST(x.aligned());
  x.complete();
  BOOST_TEST(x.current() == 0U);
  BOOST_TEST(!x.requested());
}

BOOST_AUTO_TEST_SUITE_END()
