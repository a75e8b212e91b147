-- The auctions with the most bids of the last ten seconds, every two seconds.
WITH counts AS (
  SELECT auction, count(*) AS num, window_start, window_end
  FROM hop(bid, date_time, INTERVAL '2 seconds', INTERVAL '10 seconds')
  GROUP BY auction, window_start, window_end
),
most AS (
  SELECT max(num) AS num, window_start, window_end
  FROM counts
  GROUP BY window_start, window_end
)
SELECT counts.auction, counts.num
FROM counts
JOIN most
  ON counts.window_start = most.window_start
 AND counts.window_end = most.window_end
 AND counts.num >= most.num
