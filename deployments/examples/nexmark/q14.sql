-- Bids in a range of prices, with the part of the day and the number of letters c.
SELECT auction, bidder, 0.908 * price AS price,
  CASE
    WHEN extract(hour FROM date_time) BETWEEN 8 AND 18 THEN 'day'
    WHEN extract(hour FROM date_time) <= 6 OR extract(hour FROM date_time) >= 20 THEN 'night'
    ELSE 'other'
  END AS part_of_day,
  date_time, extra,
  length(extra) - length(replace(extra, 'c', '')) AS c_count
FROM bid
WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000
