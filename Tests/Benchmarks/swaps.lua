-- SPDX-License-Identifier: MIT
-- For wrk: sends requests in turns without a token, with one, and for the metadata; counts answers that mix two
-- versions of the resource.

local threads = {}

function setup(thread) threads[#threads + 1] = thread end

function init(words)
   targets = {
      wrk.format("GET", "/notes"),
      wrk.format("GET", "/notes", { Authorization = "Bearer " .. words[1] }),
      wrk.format("GET", "/.well-known/oauth-protected-resource/notes"),
   }
   sent, refused, admitted, documents, mixed, unexpected = 0, 0, 0, 0, 0, 0
   versions, tags, oddity = {}, {}, ""
end

function request()
   sent = sent + 1
   return targets[sent % 3 + 1]
end

-- The number after every pattern that occurs in a text, or nil if the numbers differ.
local function version(text, patterns)
   local found
   for _, pattern in ipairs(patterns) do
      for number in text:gmatch(pattern) do
         if found and found ~= number then return nil end
         found = number
      end
   end
   return found
end

function response(status, headers, body)
   local number
   if status == 401 then
      refused = refused + 1
      local fields = (headers["WWW-Authenticate"] or "") .. (headers["Link"] or "")
      number = version(fields, { 'realm="r%.(%d+)"', '="v%.(%d+)"', "read%.(%d+)", "/meta/(%d+)" })
   elseif status == 200 and headers["ETag"] then
      documents = documents + 1
      number = version(body, { '"name%.(%d+)"', '"x%.(%d+)"', '"read%.(%d+)"' })
      local age = (headers["Cache-Control"] or ""):match("max%-age=(%d+)")
      local tag = headers["ETag"]
      if number == nil or tonumber(age) ~= 1000 + tonumber(number) then number = nil
      elseif (tags[number] or tag) ~= tag or (tags[tag] or number) ~= number then number = nil
      else tags[number], tags[tag] = tag, number end
   elseif status == 200 then
      admitted = admitted + 1
      number = version(body .. (headers["Link"] or ""), { "set%.(%d+)", "/meta/(%d+)" })
   else
      unexpected = unexpected + 1
      oddity = tostring(status)
      return
   end
   if number then versions[number] = true else
      mixed = mixed + 1
      oddity = body
      for name, value in pairs(headers) do oddity = oddity .. " | " .. name .. ": " .. value end
   end
end

function done(summary)
   local seen, last, sum = {}, 0, {}
   for _, name in ipairs({ "sent", "refused", "admitted", "documents", "mixed", "unexpected" }) do
      sum[name] = 0
      for _, thread in ipairs(threads) do sum[name] = sum[name] + thread:get(name) end
   end
   for _, thread in ipairs(threads) do
      for number in pairs(thread:get("versions")) do seen[number] = true end
      if thread:get("oddity") ~= "" then print("oddity " .. thread:get("oddity")) end
   end
   local count = 0
   for number in pairs(seen) do
      count = count + 1
      last = math.max(last, tonumber(number))
   end
   local errors = summary.errors
   print(string.format(
      "result sent=%d refused=%d admitted=%d documents=%d mixed=%d unexpected=%d versions=%d last=%d socket=%d seconds=%d",
      sum.sent, sum.refused, sum.admitted, sum.documents, sum.mixed, sum.unexpected, count, last,
      errors.connect + errors.read + errors.write + errors.timeout, summary.duration / 1000000))
end
