-- The highest bids of every ten seconds.
SELECT b.auction, b.price, b.bidder, b.date_time, b.extra
FROM bid AS b
JOIN (
  SELECT max(price) AS price, window_end
  FROM tumble(bid, date_time, INTERVAL '10 seconds')
  GROUP BY window_start, window_end
) AS highest
  ON b.price = highest.price
 AND b.date_time BETWEEN highest.window_end - INTERVAL '10 seconds' AND highest.window_end
