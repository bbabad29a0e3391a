-- SPDX-License-Identifier: MIT
-- Gives each request of wrk its own line of a file: each thread uses its part of the lines, in order, and starts
-- again when they are used up. Environment: SUITE_LINES is the file, SUITE_THREADS the number of threads,
-- SUITE_OFFSET the start in each part, SUITE_FIELDS the text before each line.

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

function init()
    local count = tonumber(os.getenv("SUITE_THREADS"))
    local fields = os.getenv("SUITE_FIELDS")
    local head = "GET " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n" .. fields
    requests = {}
    local index = 0
    for line in io.lines(os.getenv("SUITE_LINES")) do
        if index % count == number then
            requests[#requests + 1] = head .. line .. "\r\n\r\n"
        end
        index = index + 1
    end
    position = tonumber(os.getenv("SUITE_OFFSET")) % #requests
end

function request()
    position = position % #requests + 1
    return requests[position]
end
