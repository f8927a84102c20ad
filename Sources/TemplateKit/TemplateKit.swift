// TemplateKit
