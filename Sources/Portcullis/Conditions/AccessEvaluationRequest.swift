// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// A question to a decision point: whether a subject may do something to a resource.
///
/// In the shape of AuthZEN's Access Evaluation request, so that ``json`` can be sent as it is. This package
/// has no client for it.
///
/// OpenID AuthZEN Authorization API 1.0 §5, §6.1.
public struct AccessEvaluationRequest: Sendable, Hashable {
    /// Who asks, or what is asked for.
    public struct Entity: Sendable, Hashable {
        /// The kind: `user`, `client`, `route`.
        public var type: String
        /// The identifier, unique within the kind.
        public var id: String
        /// Further members.
        public var properties: JSONObject

        /// Makes an entity; by default without properties.
        public init(type: String, id: String, properties: JSONObject = [:]) {
            self.type = type
            self.id = id
            self.properties = properties
        }

        fileprivate var json: JSONValue {
            var object: JSONObject = ["type": .string(type), "id": .string(id)]
            if !properties.isEmpty { object["properties"] = .object(properties) }
            return .object(object)
        }
    }

    /// What is to be done.
    public struct Action: Sendable, Hashable {
        /// The name; from the gate the method, such as `GET`.
        public var name: String
        /// Further members.
        public var properties: JSONObject

        /// Makes an action; by default without properties.
        public init(name: String, properties: JSONObject = [:]) {
            self.name = name
            self.properties = properties
        }

        fileprivate var json: JSONValue {
            var object: JSONObject = ["name": .string(name)]
            if !properties.isEmpty { object["properties"] = .object(properties) }
            return .object(object)
        }
    }

    /// The user of the token, or its client where there is no user.
    public var subject: Entity
    /// The operation.
    public var action: Action
    /// The object.
    public var resource: Entity
    /// The circumstances.
    public var context: JSONObject

    /// Makes a question; by default without context.
    public init(subject: Entity, action: Action, resource: Entity, context: JSONObject = [:]) {
        self.subject = subject
        self.action = action
        self.resource = resource
        self.context = context
    }

    /// The question as JSON: `subject`, `action`, `resource`, and `context` unless that is empty.
    public var json: JSONObject {
        var object: JSONObject = [
            "subject": subject.json, "action": action.json, "resource": resource.json,
        ]
        if !context.isEmpty { object["context"] = .object(context) }
        return object
    }
}

extension JSONObject {
    fileprivate var isEmpty: Bool { members.isEmpty }
}
