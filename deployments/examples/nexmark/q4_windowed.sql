-- The mean of the winning prices of each category, for each ten seconds of bids. Nexmark's own q4
-- averages over all time, which updates with every bid; here a window makes each result final.
-- Auctions are open for less than an hour.
WITH offers AS (
  SELECT a.id, a.category, b.price, b.date_time
  FROM auction AS a
  JOIN bid AS b
    ON a.id = b.auction
   AND b.date_time BETWEEN a.date_time AND a.date_time + INTERVAL '1 hour'
  WHERE b.date_time <= a.expires
),
winners AS (
  SELECT id, category, max(price) AS final, window_start, window_end
  FROM tumble(offers, date_time, INTERVAL '10 seconds')
  GROUP BY id, category, window_start, window_end
)
SELECT category, avg(final) AS mean_final, window_start, window_end
FROM winners
GROUP BY category, window_start, window_end
