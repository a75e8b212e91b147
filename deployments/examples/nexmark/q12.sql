-- Bids of each bidder for every ten seconds of processing time.
SELECT bidder, count(*) AS bid_count, window_start, window_end
FROM tumble(bid, proctime(), INTERVAL '10 seconds')
GROUP BY bidder, window_start, window_end
